import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import mmoe from "../../plugins/mmoe/index.ts";
import ple from "../../plugins/ple/index.ts";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import type { DatasetShape, SplitRows } from "../../src/data/spec.ts";
import { createEngine } from "../../src/engine/engines.ts";
import type { Checkpoint, GateRule } from "../../src/model/checkpoint.ts";
import { initialise, initialiseBuffers } from "../../src/model/initialise.ts";
import { buildModel } from "../../src/model/model.ts";
import type { AutoIfsHead } from "../../src/model/spec.ts";
import { type Backbone, type BackbonePlugin, definePlugin, dense, denseParams, zeros } from "../../src/plugin/index.ts";
import { param } from "../../src/plugin/layers.ts";
import { loadPredictor } from "../../src/serving/predictor.ts";
import { loadServable } from "../../src/serving/servable.ts";
import { tableOfGeneration } from "../../src/serving/generations.ts";
import type { CellMetric, LossWeights } from "../../src/training/events.ts";
import { equalLosses, type LossBalancing } from "../../src/training/lossBalancing/lossBalancing.ts";
import { TrainingInterrupted } from "../../src/training/pacer.ts";
import { runTraining, type TrainingInput } from "../../src/training/runTraining.ts";
import type { SavedTraining } from "../../src/training/trainingState.ts";
import { tinyRows, tinyShape } from "./tinyDataset.ts";
import { autoIfs, hyperParameters } from "./tinyTraining.ts";

const layers = { layers: [8], batchNorm: false, dropout: 0 };
const head: AutoIfsHead = { ...autoIfs, gates: "CELL" };
const withVideo: DatasetShape = { ...tinyShape, scenarios: ["home", "search", "video"] };
const withShare: DatasetShape = { ...tinyShape, tasks: ["click", "like", "share"] };

const base = baseModel();
let grown: Awaited<ReturnType<typeof extended>>;

beforeAll(async () => void (grown = await extended(base, withVideo, { epochs: 3 })));

describe("adding a scenario", () => {
  it("trains what is its own and leaves every array of the model as it was", () => {
    const { result, test } = grown;
    const { arrays, model } = result.checkpoint;
    expect(model.generations).toEqual([{ scenarios: 2, tasks: 2 }]);
    for (const [name, { shape, values }] of Object.entries(base.arrays)) {
      const now = arrays[name]!;
      if (!name.includes("/scenario.0.lora")) expect([name, now.values]).toEqual([name, values]);
      // A stack has one more at its end.
      else
        expect([name, now.shape, now.values.subarray(0, values.length)]).toEqual([
          name,
          [3, ...shape.slice(1)],
          values,
        ]);
    }
    const own = Object.keys(arrays).filter((name) => !base.arrays[name]);
    expect(own).toEqual([tableOfGeneration(1)]);
    expect(aucOf(test, "video", "click")).toBeGreaterThan(0.6); // of an untrained base it has learnt its rows
  });

  it("answers old cells bitwise as before, also among rows of the new one and folded", async () => {
    const { result } = grown;
    const old = tinyRows({ rows: 200, seed: 5 });
    expect(await probabilities(result.checkpoint, old)).toEqual(await probabilities(base, old));
    expect(await folded(result.checkpoint, old)).toEqual(await folded(base, old));
    const mixed = { ...old, scenario: old.scenario.map((k, row) => (row % 4 === 0 ? 2 : k)) };
    const [alone, among] = [await probabilities(base, old), await probabilities(result.checkpoint, mixed)];
    for (let row = 0; row < 200; row++) {
      const isOld = row % 4 !== 0;
      const difference = Math.abs(alone[row * 2]! - among[row * 2]!);
      // The rest of a mixed batch is a smaller batch, and the native library rounds by the size of a batch.
      if (isOld) expect(difference).toBeLessThan(1e-6);
      else expect(difference).toBeGreaterThan(0);
    }
  });

  it("goes on bitwise the same where it was interrupted", async () => {
    let saved: SavedTraining | undefined;
    let steps = 0;
    const control = {
      wish: () => (++steps === 7 ? "SAVE_AND_STOP" : "GO_ON") as "GO_ON" | "SAVE_AND_STOP",
      saveEverySeconds: 3600,
      save: (state: SavedTraining) => Promise.resolve(void (saved = structuredClone(state))),
    };
    await expect(extended(base, withVideo, { control, epochs: 3 })).rejects.toThrow(TrainingInterrupted);
    const { result: resumed } = await extended(base, withVideo, { saved: saved!, epochs: 3 });
    expect(resumed.checkpoint.arrays).toEqual(grown.result.checkpoint.arrays);
  });

  it("may be done again, on a model that has grown already", async () => {
    const first = grown.result.checkpoint;
    const shape = { ...withVideo, scenarios: [...withVideo.scenarios, "mall"] };
    const second = (await extended(first, shape)).result.checkpoint;
    expect(second.model.generations).toEqual([
      { scenarios: 2, tasks: 2 },
      { scenarios: 3, tasks: 2 },
    ]);
    for (const scenario of [0, 1, 2]) {
      const rows = ofScenario(tinyRows({ rows: 50, seed: 5 }), scenario);
      expect(await probabilities(second, rows)).toEqual(await probabilities(first, rows));
    }
  });

  it("serves a backbone with gates of scenarios, and a gate network row by row", async () => {
    const config = { experts: 2, layers: [8], gateLayers: [], gateBy: "scenario_task" };
    const base = baseModel({ plugin: mmoe, config, head: autoIfs, gateRule: { kind: "HARD", threshold: 0 } });
    const { result } = await extended(base, withVideo, { plugin: mmoe });
    const old = tinyRows({ rows: 100, seed: 5 });
    expect(await probabilities(result.checkpoint, old, mmoe)).toEqual(await probabilities(base, old, mmoe));
    expect(result.checkpoint.arrays["backbone/task0.gate.out.bias"]!.shape).toEqual([6]);
  });
});

describe("adding a task", () => {
  it.each([
    ["shared-bottom", sharedBottom, layers],
    ["mmoe", mmoe, { experts: 2, layers: [8], gateLayers: [], gateBy: "task" }],
    ["ple, whose shared path mixes the tasks", ple, { levels: [[8], [8]], specificExperts: 1, sharedExperts: 1 }],
  ] as const)(
    "leaves the old tasks as they were with %s, and balances the new ones alone",
    async (_, plugin, config) => {
      const base = baseModel({ plugin, config });
      const { result, balance } = await extended(base, withShare, { plugin, lossBalancing: { kind: "UNCERTAINTY" } });
      expect(balance).toEqual([{ phase: "train", epoch: 1, weights: [{ task: "share", weight: expect.any(Number) }] }]);
      const old = tinyRows({ rows: 100, seed: 5 });
      const [was, now] = [await probabilities(base, old, plugin), await probabilities(result.checkpoint, old, plugin)];
      expect(now.filter((_, i) => i % 3 < 2)).toEqual(was);
    },
  );

  it("may let the new one count only where an old one is 1", async () => {
    const { result, test } = await extended(base, { ...withShare, conditions: [null, null, 0] });
    const old = tinyRows({ rows: 100, seed: 5 });
    const [was, now] = [await probabilities(base, old), await probabilities(result.checkpoint, old)];
    expect(now.filter((_, i) => i % 3 < 2)).toEqual(was);
    expect(now.filter((_, i) => i % 3 === 2).every((p) => p > 0 && p < 1)).toBe(true);
    expect(test.filter(({ name }) => name === "conditionalAuc").map(({ task }) => task)).toEqual(["share", "share"]);
  });

  it("gives a gate network columns that keep its flows", async () => {
    const base = baseModel({ head: autoIfs, gateRule: { kind: "HARD", threshold: -3 } });
    const { result } = await extended(base, withShare);
    const predictor = await loadPredictor(result.checkpoint, sharedBottom);
    const { gates } = await predictor.predict(tinyRows({ rows: 20, seed: 5 }));
    await predictor.release();
    expect(gates!.filter((_, i) => i % 12 >= 8)).toEqual(new Float32Array(20 * 4));
  });
});

describe("what a backbone declares holds for what is added", () => {
  const added = async (options: OwnOptions): Promise<Float32Array> => {
    const plugin = ownPlugin(options);
    const { result } = await extended(baseModel({ plugin, config: {} }), withVideo, { plugin });
    const { shape, values } = result.checkpoint.arrays["backbone/own"]!;
    return values.subarray((shape[0]! - 1) * shape[1]!);
  };

  it("its own learning rates", async () => {
    const [usual, slow] = [await added({}), await added({ learningRateFactor: 1e-6 })].map((own) => largest(own));
    expect(usual).toBeGreaterThan(1e-3);
    expect(slow).toBeLessThan(1e-6);
  });

  it("and losses that it makes of the logits", async () => {
    const [without, lowered] = [
      await added({}),
      await added({ logitLosses: (y) => ({ low: tf.mul(tf.sum(y), 100) }) }),
    ];
    expect(lowered).not.toEqual(without);
  });
});

describe("an extension is refused", () => {
  it("where the backbone lets a new scenario into the old ones", async () => {
    const mixing = scenarioPlugin(
      "mixing",
      (scenarios) => [scenarios],
      (weights) => tf.mean(weights),
    );
    const base = baseModel({ plugin: mixing, config: {} });
    await expect(extended(base, withVideo, { plugin: mixing })).rejects.toThrow(
      "input.run: expected a backbone to which a scenario or task can be added, but with the plugin mixing what is added changes the old cells",
    );
  });

  it("where a parameter of the backbone grows in two directions", async () => {
    const square = scenarioPlugin(
      "square",
      (scenarios) => [scenarios, scenarios],
      (weights) => tf.mean(weights),
    );
    const base = baseModel({ plugin: square, config: {} });
    await expect(extended(base, withVideo, { plugin: square })).rejects.toThrow(
      "with the plugin square backbone/weights has the shape [3, 3] after [2, 2]",
    );
  });

  it("without training rows of the new scenario, without anything new, and for a search", async () => {
    await expect(extended(baseModel(), withVideo, { scenario: 1 })).rejects.toThrow(
      "extend: expected training rows of the new scenario, got none",
    );
    await expect(extended(baseModel(), tinyShape)).rejects.toThrow("extend: expected a dataset with the vocabulary");
    const search = { ...baseModel(), gateRule: { kind: "SOFT", temperature: 1 } as const };
    await expect(extended(search, withVideo)).rejects.toThrow("extend: expected the checkpoint of a pruned model");
  });
});

interface BaseOptions {
  readonly plugin?: BackbonePlugin;
  readonly config?: unknown;
  readonly head?: AutoIfsHead;
  readonly gateRule?: GateRule;
}

/** A pruned model that was never trained: what an extension keeps does not depend on how good it is. */
function baseModel({
  plugin = sharedBottom,
  config = layers,
  head: of = head,
  gateRule,
}: BaseOptions = {}): Checkpoint {
  const spec = { backbone: { name: plugin.name, config }, head: of };
  const { embeddingDim } = hyperParameters;
  const model = buildModel(spec, plugin, { fields: 3, embeddingDim, scenarios: 2, tasks: 2 });
  const rule = gateRule ?? { kind: "FIXED", removed: Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)) };
  const table = param([tinyShape.ids, embeddingDim], { kind: "normal", std: 0.5 });
  const specs = {
    embedding: table,
    ...model.weights,
    ...(rule.kind === "HARD" ? { gateEmbedding: table, ...model.gates } : {}),
  };
  // Not zero: low-rank parts that begin at zero would hide what is mixed up.
  const random = Object.entries(specs).map(([name, { shape }]) => [name, param(shape, { kind: "normal", std: 0.3 })]);
  const arrays = { ...initialise(Object.fromEntries(random), 1), ...initialiseBuffers(model.buffers) };
  return { model: spec, embeddingDim, shape: tinyShape, gateRule: rule, arrays };
}

interface ExtensionOptions extends Partial<Pick<TrainingInput, "control" | "saved">> {
  readonly plugin?: BackbonePlugin;
  /** Default 1. */
  readonly epochs?: number;
  /** Default: equal. */
  readonly lossBalancing?: LossBalancing;
  /** Of all rows; default: the new one, or as drawn where a task is new. */
  readonly scenario?: number;
}

/** Trains the extension on tiny rows; "share" is what "click" is. */
async function extended(parent: Checkpoint, shape: DatasetShape, options: ExtensionOptions = {}) {
  const { plugin = sharedBottom, scenario = shape.tasks.length > 2 ? undefined : shape.scenarios.length - 1 } = options;
  const rowsOf = (rows: number, seed: number): SplitRows => {
    const drawn = withTasks(tinyRows({ rows, seed }), shape.tasks.length);
    return scenario === undefined ? drawn : ofScenario(drawn, scenario);
  };
  let final: readonly CellMetric[] = [];
  const balance: LossWeights[] = [];
  const nothing = (): void => undefined;
  const metrics = ({ metrics: of }: { metrics: readonly CellMetric[] }): void => void (final = of);
  const result = await runTraining({
    spec: {
      kind: "EXTEND",
      model: { backbone: parent.model.backbone, head: parent.model.head },
      hyperParameters: {
        ...hyperParameters,
        maxEpochs: options.epochs ?? 1,
        lossBalancing: options.lossBalancing ?? equalLosses,
      },
      seed: 1,
      engine: "compiled",
    },
    plugin,
    engine: await createEngine("compiled"),
    shape,
    rows: { train: rowsOf(640, 1), validation: rowsOf(100, 2), test: rowsOf(200, 3) },
    parent,
    ...(options.control ? { control: options.control } : {}),
    ...(options.saved ? { saved: options.saved } : {}),
    hooks: {
      progress: nothing,
      metrics,
      flows: nothing,
      gates: nothing,
      balance: (weights) => void balance.push(weights),
      statistics: nothing,
      effects: nothing,
      verified: nothing,
    },
  });
  return { result, balance, test: final.filter(({ split }) => split === "test") };
}

function withTasks(rows: SplitRows, tasks: number): SplitRows {
  const labels = new Float32Array(rows.rows * tasks);
  for (let i = 0; i < labels.length; i++) {
    const [row, m] = [Math.floor(i / tasks), i % tasks];
    labels[i] = rows.labels[row * 2 + (m === 2 ? 0 : m)]!;
  }
  return { ...rows, labels };
}

function ofScenario(rows: SplitRows, scenario: number): SplitRows {
  return { ...rows, scenario: new Int32Array(rows.rows).fill(scenario) };
}

async function probabilities(checkpoint: Checkpoint, rows: SplitRows, plugin: BackbonePlugin = sharedBottom) {
  const predictor = await loadPredictor(checkpoint, plugin);
  const { probabilities: answered } = await predictor.predict(rows);
  await predictor.release();
  return answered;
}

async function folded(checkpoint: Checkpoint, rows: SplitRows): Promise<Float32Array> {
  const servable = await loadServable(checkpoint, sharedBottom);
  const answered = await servable.predict(rows);
  await servable.release();
  return answered;
}

function aucOf(metrics: readonly CellMetric[], scenario: string, task: string): number {
  return metrics.find((of) => of.name === "auc" && of.scenario === scenario && of.task === task)!.value!;
}

/** A layer scaled by a number made of weights of all scenarios. */
function scenarioPlugin(
  name: string,
  shapeOf: (scenarios: number) => number[],
  scale: (weights: tf.Tensor) => tf.Tensor,
): BackbonePlugin {
  return definePlugin({
    name,
    paper: { title: "None", venue: "None", url: "https://example.org" },
    summary: "For tests.",
    config: z.strictObject({}),
    build: ({ inputDim, scenarios }) => ({
      outputDim: 8,
      perTask: false,
      params: { ...denseParams("layer", inputDim, 8), weights: param(shapeOf(scenarios), zeros) },
      forward: (p, { features }) => tf.mul(dense(p, "layer", features), scale(p["weights"]!)),
    }),
  });
}

interface OwnOptions extends Pick<Backbone, "logitLosses"> {
  readonly learningRateFactor?: number;
}

/** A layer to which each scenario adds numbers of its own. */
function ownPlugin({ learningRateFactor = 1, ...logitLosses }: OwnOptions): BackbonePlugin {
  return definePlugin({
    name: "own",
    paper: { title: "None", venue: "None", url: "https://example.org" },
    summary: "For tests.",
    config: z.strictObject({}),
    build: ({ inputDim, scenarios }) => ({
      outputDim: 8,
      perTask: false,
      params: { ...denseParams("layer", inputDim, 8), own: { ...param([scenarios, 8], zeros), learningRateFactor } },
      forward: (p, { features, scenarioOneHot }) =>
        tf.add<tf.Tensor2D>(dense(p, "layer", features), tf.matMul(scenarioOneHot, p["own"] as tf.Tensor2D)),
      ...logitLosses,
    }),
  });
}

function largest(values: Float32Array): number {
  return values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}
