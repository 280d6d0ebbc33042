import { describe, expect, it } from "vitest";
import type { ResolvedModel } from "../../../src/services/model/resolveModel.ts";
import type { AnsweredTwice } from "../../../src/services/model/trafficDifferences.ts";
import type { PoolAnswer, PoolOrderOptions } from "../../../src/services/prediction/modelPool.ts";
import { predict } from "../../../src/services/prediction/predict.ts";
import type { PredictionParts } from "../../../src/services/prediction/predict.ts";
import type { ServedBatch, ServedObserver } from "../../../src/services/prediction/servedObserver.ts";

/** A version of model m whose run answers `0.<number>` for its tasks. */
const versionOf = (number: number) => ({
  version: { id: `mdv_${number}`, modelId: "mdl_m", number } as ResolvedModel["version"],
  run: { id: `run_${number}`, head: { kind: "TOWERS" } } as unknown as ResolvedModel["run"],
});

interface Recorded {
  readonly parts: PredictionParts;
  readonly served: ServedBatch[];
  /** Kept when it comes. */
  readonly difference: Promise<AnsweredTwice>;
}

/** Version 2 knows one task less, and no row of search. */
function recorded(compared: Partial<ResolvedModel["compared"]>, observer?: ServedObserver): Recorded {
  const served: ServedBatch[] = [];
  let found: (twice: AnsweredTwice) => void = () => undefined;
  const difference = new Promise<AnsweredTwice>((resolve) => (found = resolve));
  const resolved = { model: {}, ...versionOf(1), alias: "live", compared: { ...versionOf(2), share: 1, ...compared } };
  const parts = {
    store: {},
    pool: {
      predict: ({ key, request }: PoolOrderOptions) => Promise.resolve(answerOf(key, request.rows)),
      figures: () => ({ models: 0, bytes: 0, waitingRows: 0 }),
    },
    modelResolver: { resolve: () => Promise.resolve(resolved) },
    trafficDifferences: { recordDifference: (twice: AnsweredTwice) => found(twice) },
    observers: [observer ?? { served: (batch: ServedBatch) => void served.push(batch) }],
    log: { warn: () => undefined, error: () => undefined },
  } as unknown as PredictionParts;
  return { parts, served, difference };
}

function answerOf(key: string, rows: readonly { readonly scenario: string }[]): PoolAnswer {
  const number = Number(key.slice(4));
  const tasks = number === 1 ? ["click", "like"] : ["like"];
  const faults = rows.flatMap(({ scenario }, row) =>
    number === 2 && scenario === "search" ? [{ row, code: "INVALID_INPUT" as const, message: "no", detail: {} }] : [],
  );
  const count = rows.length - faults.length;
  return {
    facts: { scenarios: ["home", "search"], tasks, columns: ["user"] },
    rows: count,
    faults,
    unknown: [],
    ids: new Int32Array(count),
    numbers: new Float32Array(0),
    scenario: new Int32Array(count),
    probabilities: Float32Array.from(
      { length: count * tasks.length },
      (_, i) => number / 10 + (i % tasks.length) / 100,
    ),
  };
}

const home = { scenario: "home", values: {} };
const search = { scenario: "search", values: {} };

describe("predict by the name of a model", () => {
  it("lets a shadow answer the same rows, and records how the two differ where both have answered", async () => {
    const { parts, difference } = recorded({ kind: "SHADOW" });
    const { modelVersion } = await predict(parts, { model: "m", rows: [home, search, home], explain: false });
    expect(modelVersion!.number).toBe(1);
    const { probabilities, otherProbabilities, ...twice } = await difference;
    expect(twice).toEqual({
      modelId: "mdl_m",
      alias: "live",
      version: 1,
      other: 2,
      scenarios: ["home", "home"],
      taskKeys: ["like"],
    });
    expect(probabilities).toEqual(Float32Array.of(0.11, 0.11));
    expect(otherProbabilities).toEqual(Float32Array.of(0.2, 0.2));
  });

  it("answers with a canary, and lets the version of the alias answer for the difference", async () => {
    const { parts, difference } = recorded({ kind: "CANARY" });
    const { modelVersion, rows } = await predict(parts, { model: "m", rows: [home], explain: false });
    expect(modelVersion!.number).toBe(2);
    expect(rows[0]!.tasks).toEqual([
      { taskKey: "like", probability: expect.closeTo(0.2), conditionalProbability: null, partials: null, gates: null },
    ]);
    const { version, other, probabilities, otherProbabilities } = await difference;
    expect([version, other]).toEqual([1, 2]);
    expect(probabilities).toEqual(Float32Array.of(0.11));
    expect(otherProbabilities).toEqual(Float32Array.of(0.2));
  });

  it("asks no second version outside of its share", async () => {
    const { parts } = recorded({ kind: "CANARY", share: 0 });
    const { modelVersion } = await predict(parts, { model: "m", rows: [home], explain: false });
    expect(modelVersion!.number).toBe(1);
  });
});

describe("observers", () => {
  it("hear of the rows that were answered, with the names they have", async () => {
    const { parts, served } = recorded({ kind: "CANARY" });
    await predict(parts, {
      model: "m",
      rows: [search, { ...home, id: "b" }, home],
      onRowError: "SKIP",
      explain: false,
    });
    await predict(parts, { model: "m", rows: [home], explain: false });
    expect(served.map(({ rows, rowIds, taskKeys, version }) => [version.number, rows, rowIds, taskKeys])).toEqual([
      [2, 2, ["b", null], ["like"]],
      [2, 1, undefined, ["like"]],
    ]);
  });

  it("are waited for where rows have names, and only there", async () => {
    const failing = { served: () => Promise.reject(new Error("not kept")) };
    const { parts } = recorded({ kind: "SHADOW" }, failing);
    await expect(predict(parts, { model: "m", rows: [{ ...home, id: "a" }], explain: false })).rejects.toThrow(
      "not kept",
    );
    expect((await predict(parts, { model: "m", rows: [home], explain: false })).rows).toHaveLength(1);
  });
});
