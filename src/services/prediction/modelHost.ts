/** Carries out the orders of the pool with the models it holds: what a prediction thread does, apart from being a thread. */
import type { PredictionRows } from "../../serving/scorer.ts";
import type { OpenModel } from "./openModel.ts";
import { encodeBatch } from "./encodeBatch.ts";
import type { BatchArrays, ModelFiles, PoolOrder, PoolReport } from "./poolMessages.ts";
import { sentError } from "./sentErrors.ts";

export interface HostOptions {
  open(files: ModelFiles): Promise<OpenModel>;
  /** `moved`: buffers that belong to whoever hears it from now on. */
  tell(report: PoolReport, moved: readonly ArrayBuffer[]): void;
}

/** Never throws: what goes wrong is told. */
export function createModelHost({ open, tell }: HostOptions): (order: PoolOrder) => Promise<void> {
  const models = new Map<string, OpenModel>();

  const load = async (key: string, files: ModelFiles): Promise<void> => {
    try {
      const model = await open(files);
      models.set(key, model);
      tell({ kind: "LOADED", key, facts: model.facts, bytes: model.bytes() }, []);
    } catch (error) {
      tell({ kind: "NOT_LOADED", key, error: sentError(error) }, []);
    }
  };

  const run = async ({ key, explain, requests }: PoolOrder & { kind: "RUN" }): Promise<void> => {
    try {
      const model = models.get(key)!;
      const { parts, ...rows } = encodeBatch(model.transform, model.facts.scenarios, requests);
      const arrays = rows.rows === 0 ? noRows : await answers(model, rows, explain);
      const report: PoolReport = { kind: "RAN", parts, bytes: model.bytes(), ...arrays };
      tell(report, rows.rows === 0 ? [] : buffersOf(arrays));
    } catch (error) {
      tell({ kind: "NOT_RAN", error: sentError(error) }, []);
    }
  };

  return async (order) => {
    switch (order.kind) {
      case "LOAD":
        return load(order.key, order.files);
      case "RUN":
        return run(order);
      case "RELEASE": {
        const model = models.get(order.key);
        models.delete(order.key);
        return model?.release();
      }
      default:
        return order satisfies never;
    }
  };
}

const noRows: BatchArrays = {
  probabilities: new Float32Array(0),
  ids: new Int32Array(0),
  numbers: new Float32Array(0),
  scenario: new Int32Array(0),
};

async function answers(model: OpenModel, rows: PredictionRows, explain: boolean): Promise<BatchArrays> {
  const { ids, numbers, scenario } = rows;
  // A copy, because what a graph has written may be memory of its own that cannot be moved.
  if (!explain) return { probabilities: (await model.predict(rows)).slice(), ids, numbers, scenario };
  const { probabilities, partialLogits, gates } = await model.explain(rows);
  return {
    probabilities: probabilities.slice(),
    ids,
    numbers,
    scenario,
    ...(partialLogits && gates ? { partialLogits, gates } : {}),
  };
}

function buffersOf(arrays: BatchArrays): ArrayBuffer[] {
  return [...new Set(Object.values(arrays).map(({ buffer }) => buffer as ArrayBuffer))];
}
