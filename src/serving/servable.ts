/** A model made ready to answer as cheaply as it can: folded, its arrays frozen in the graph, and compiled. */
import { createEngine, defaultEngine } from "../engine/engines.ts";
import { NotFoundError } from "../errors.ts";
import { type Checkpoint, modelSizes } from "../model/checkpoint.ts";
import { foldModel } from "../model/folding/foldModel.ts";
import { buildModel } from "../model/model.ts";
import { rowSlots } from "../model/rowSlots.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import { bytesOf, foldedFunction } from "./frozenModel.ts";
import { createGenerationsScorer } from "./generations.ts";
import type { PredictionRows } from "./scorer.ts";

export interface Servable {
  /** Bytes of the arrays it holds. */
  readonly bytes: number;
  /**
   * Probabilities [rows, T]. A servable of one scenario answers all rows as rows of that scenario, whatever they say of
   * themselves.
   */
  predict(rows: PredictionRows): Promise<Float32Array>;
  release(): Promise<void>;
}

export interface ServableOptions {
  /** Key of the only scenario to be served, for a smaller and faster model; default: all. */
  readonly scenario?: string;
  /** Threads of one run; default: one per core. */
  readonly threads?: number;
}

/** The same with the scenario's index. */
interface LoadOptions {
  readonly only: number | undefined;
  readonly threads: number | undefined;
}

/** Rows per run of the graph; what a batch needs in memory is bounded by it. */
const chunkRows = 4096;

/** Release it when it is no longer needed. Throws NotFoundError for a scenario that the model does not know. */
export async function loadServable(
  checkpoint: Checkpoint,
  plugin: BackbonePlugin,
  { scenario, threads }: ServableOptions = {},
): Promise<Servable> {
  const options = { only: scenario === undefined ? undefined : scenarioIndex(checkpoint, scenario), threads };
  return checkpoint.model.generations
    ? loadGenerations(checkpoint, plugin, options)
    : loadOne(checkpoint, plugin, options);
}

async function loadOne(checkpoint: Checkpoint, plugin: BackbonePlugin, options: LoadOptions): Promise<Servable> {
  const { only, threads } = options;
  const folded = foldModel(checkpoint, plugin, only === undefined ? {} : { only });
  const { fn, inputs, constants } = foldedFunction(folded);
  const engine = await createEngine(defaultEngine);
  const program = await engine.compile(fn, inputs, { constants, ...(threads === undefined ? {} : { threads }) });
  const { tasks } = checkpoint.shape;
  const slots = rowSlots(folded.sizes);
  return {
    bytes: bytesOf(constants),
    async predict({ rows, ids, numbers, scenario }) {
      const probabilities = new Float32Array(rows * tasks.length);
      for (let start = 0; start < rows; start += chunkRows) {
        const end = Math.min(start + chunkRows, rows);
        const chunk = {
          ids: ids.subarray(start * slots.ids, end * slots.ids),
          ...(slots.numbers > 0 ? { numbers: numbers.subarray(start * slots.numbers, end * slots.numbers) } : {}),
          scenario: scenario.subarray(start, end),
        };
        await program.run(chunk, { probabilities: probabilities.subarray(start * tasks.length, end * tasks.length) });
      }
      return probabilities;
    },
    release: () => program.release(),
  };
}

/** Every generation folded on its own, so that an old cell answers as it did before the model grew. */
async function loadGenerations(
  checkpoint: Checkpoint,
  plugin: BackbonePlugin,
  options: LoadOptions,
): Promise<Servable> {
  const loaded: Servable[] = [];
  const scorer = await createGenerationsScorer(checkpoint, async (part) => {
    const { weights, gates, buffers } = buildModel(part.model, plugin, modelSizes(part));
    let servable: Servable | undefined;
    return {
      specs: { ...weights, ...gates, ...buffers },
      scorer: {
        async predict(arrays, rows, gateRule) {
          const { gateRule: _, ...description } = part;
          const own: Checkpoint = { ...description, ...(gateRule ? { gateRule } : {}), arrays };
          if (!servable) loaded.push((servable = await loadOne(own, plugin, options)));
          return { probabilities: await servable.predict(rows) };
        },
        release: async () => servable?.release(),
      },
    };
  });
  const predict = async (rows: PredictionRows): Promise<Float32Array> => {
    const scenario = options.only === undefined ? rows.scenario : new Int32Array(rows.rows).fill(options.only);
    return (await scorer.predict(checkpoint.arrays, { ...rows, scenario }, checkpoint.gateRule)).probabilities;
  };
  // A row of every scenario, so that each generation is loaded before the first answer, and only once.
  const { scenarios } = checkpoint.shape;
  const slots = rowSlots(modelSizes(checkpoint));
  const rows = scenarios.length;
  await predict({
    rows,
    ids: new Int32Array(rows * slots.ids),
    numbers: new Float32Array(rows * slots.numbers),
    scenario: Int32Array.from(scenarios, (_, k) => k),
  });
  return { bytes: loaded.reduce((sum, { bytes }) => sum + bytes, 0), predict, release: () => scorer.release() };
}

function scenarioIndex({ shape }: Checkpoint, key: string): number {
  const index = shape.scenarios.indexOf(key);
  if (index >= 0) return index;
  const expected = `one of ${shape.scenarios.join(", ")}`;
  const detail = { field: "scenario", expected, received: key };
  throw new NotFoundError(`scenario: expected ${expected}, got ${key}`, detail);
}
