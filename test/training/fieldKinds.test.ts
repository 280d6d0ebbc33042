import { describe, expect, it } from "vitest";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import type { SplitRows } from "../../src/data/spec.ts";
import type { InputSpecs } from "../../src/engine/engine.ts";
import { openOnnx } from "../../src/engine/modelFile.ts";
import { onnxModel } from "../../src/engine/onnxModel.ts";
import { trace } from "../../src/engine/trace.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../src/model/checkpoint.ts";
import { buildModel } from "../../src/model/model.ts";
import { exportedFunction } from "../../src/serving/exportedFunction.ts";
import { loadPredictor } from "../../src/serving/predictor.ts";
import { loadServable } from "../../src/serving/servable.ts";
import { type LossFunction, overFields, type StepInputs, towersLoss } from "../../src/training/lossFunctions.ts";
import { type TrainingControl, TrainingInterrupted } from "../../src/training/pacer.ts";
import type { SavedTraining } from "../../src/training/trainingState.ts";
import { mixedRows, mixedShape, mixedSplits, type Signal, withoutAttention } from "./mixedDataset.ts";
import { autoIfs, hyperParameters, newRecording, towers, train, type TinyTraining } from "./tinyTraining.ts";

const hyper = { ...hyperParameters, embeddingDim: 6, learningRate: 2e-2, patience: 10, fieldDropout: 0 };

/** AUC on the test split of towers, by task, in the mean over the scenarios. */
async function aucs(signals: readonly Signal[], maxEpochs: number, shape = mixedShape): Promise<number[]> {
  const record = newRecording();
  const dataset = { shape, rows: mixedSplits(signals) };
  await train({ dataset, record, hyperParameters: { ...hyper, maxEpochs } });
  const { metrics } = record.events.at(-1)!;
  return shape.tasks.map((task) => {
    const own = metrics.filter((of) => of.split === "test" && of.name === "auc" && of.task === task);
    return own.reduce((sum, { value }) => sum + value! / own.length, 0);
  });
}

describe("fields of every kind", () => {
  it("that are numbers or vectors tell what they know", async () => {
    for (const auc of await aucs(["VALUE", "VECTOR"], 3)) expect(auc).toBeGreaterThan(0.85);
  });

  it("that have several values tell what they know", async () => {
    for (const auc of await aucs(["TAGS", "TAGS"], 4)) expect(auc).toBeGreaterThan(0.8);
  });

  it("find a target in a history by attention, and less of it in the mean of the history", async () => {
    const [attended] = await aucs(["HISTORY", "HISTORY"], 8);
    const [inMean] = await aucs(["HISTORY", "HISTORY"], 8, withoutAttention);
    expect(attended).toBeGreaterThan(0.93);
    expect(inMean).toBeLessThan(attended! - 0.05);
  });
});

const dataset = { shape: mixedShape, rows: mixedSplits(["HISTORY", "VALUE"]) };
const short = { ...hyper, maxEpochs: 1, fieldDropout: 0.1, search: { ...hyper.search, epochs: 2, rewindEpoch: 1 } };

/** A search and its prune with gates of rows. */
const searched = train({ kind: "SEARCH", head: autoIfs, dataset, hyperParameters: short });
const pruned = searched.then(({ checkpoint: parent }) =>
  train({ kind: "PRUNE", head: autoIfs, dataset, parent, hyperParameters: short }),
);

describe("a search and its prune", () => {
  it("keep what the gate network reads of fields as the search ended, while the fields are trained anew", async () => {
    const [parent, { checkpoint }] = [(await searched).checkpoint, await pruned];
    expect(checkpoint.gateRule?.kind).toBe("HARD");
    for (const name of ["2.attention", "5.projection.kernel", "5.projection.bias"]) {
      expect(checkpoint.arrays[`gateFields/${name}`]).toEqual(parent.arrays[`fields/${name}`]);
      expect(checkpoint.arrays[`fields/${name}`]).not.toEqual(parent.arrays[`fields/${name}`]);
    }
  });

  it.each([["ROW"], ["CELL"]] as const)(
    "with gates of %ss answer alike, served, and as an ONNX file, to 1e-6",
    async (gates) => {
      const checkpoint = gates === "ROW" ? (await pruned).checkpoint : await withCellGates();
      const { ids, numbers, scenario, rows } = mixedRows(["HISTORY", "VALUE"], { rows: 60, seed: 8 });
      const predictor = await loadPredictor(checkpoint, sharedBottom);
      const { probabilities: expected } = await predictor.predict({ ids, numbers, scenario, rows });
      const servable = await loadServable(checkpoint, sharedBottom, { threads: 1 });
      const served = await servable.predict({ ids, numbers, scenario, rows });
      const { fn, inputs, constants } = exportedFunction(checkpoint, sharedBottom);
      expect(inputs["ids"]!.shape).toEqual(["batch", 13]);
      expect(inputs["numbers"]!.shape).toEqual(["batch", 5]);
      const file = await openOnnx(onnxModel(fn, inputs, { constants }), inputs);
      const inFile = (await file.run({ ids, numbers, scenario }))["probabilities"]!;
      for (const [i, p] of expected.entries()) {
        expect(Math.abs(served[i]! - p)).toBeLessThan(1e-6);
        expect(Math.abs(inFile[i]! - p)).toBeLessThan(1e-6);
      }
      await Promise.all([predictor, servable, file].map((held) => held.release()));
    },
  );

  it("do not look at the row of the table that padding has", async () => {
    const { checkpoint } = await pruned;
    const { arrays } = checkpoint;
    const [embedding, gateEmbedding] = [arrays["embedding"]!, arrays["gateEmbedding"]!].map(({ shape, values }) => {
      const padded = [23, 35].flatMap((id) => Array.from({ length: 6 }, (_, j) => id * 6 + j));
      return { shape, values: values.map((x, i) => (padded.includes(i) ? 7 : x)) };
    });
    const other = { ...checkpoint, arrays: { ...arrays, embedding: embedding!, gateEmbedding: gateEmbedding! } };
    const rows = mixedRows(["HISTORY", "VALUE"], { rows: 60, seed: 8 });
    expect(await answers(other, rows)).toEqual(await answers(checkpoint, rows));
  });

  it("go on bitwise the same after an interruption", async () => {
    const training: TinyTraining = { kind: "SEARCH", head: autoIfs, dataset, hyperParameters: short };
    let saved: SavedTraining | undefined;
    let steps = 0;
    const control: TrainingControl = {
      saveEverySeconds: 3600,
      wish: () => (++steps === 30 ? "SAVE_AND_STOP" : "GO_ON"),
      save: async (state) => void (saved = decodeCheckpoint(encodeCheckpoint(state)) as SavedTraining),
    };
    await expect(train({ ...training, control })).rejects.toThrow(TrainingInterrupted);
    const { checkpoint } = await train({ ...training, saved: saved! });
    expect(checkpoint.arrays).toEqual((await searched).checkpoint.arrays);
  });
});

describe("a model with fields of every kind", () => {
  it("grows by a scenario, and its old cells answer bitwise as before", async () => {
    const base = (await pruned).checkpoint;
    const shape = { ...mixedShape, scenarios: [...mixedShape.scenarios, "video"] };
    const all = mixedSplits(["HISTORY", "VALUE"]);
    const withVideo = (rows: SplitRows): SplitRows => ({ ...rows, scenario: rows.scenario.map((_, row) => row % 3) });
    const rows = { train: withVideo(all.train), validation: withVideo(all.validation), test: withVideo(all.test) };
    const extension = { kind: "EXTEND", head: autoIfs, parent: base, dataset: { shape, rows } } as const;
    const { checkpoint } = await train({ ...extension, hyperParameters: short });
    const old = mixedRows(["HISTORY", "VALUE"], { rows: 50, seed: 5 });
    expect(await answers(checkpoint, old)).toEqual(await answers(base, old));
    expect(await served(checkpoint, old)).toEqual(await served(base, old));
  });
});

describe("a model whose fields are one id each", () => {
  it("has the graph of one that knows no fields", () => {
    const sizes = { fields: 3, embeddingDim: 4, scenarios: 2, tasks: 2 };
    const spec = { backbone: { name: "shared-bottom", config: sharedBottom.config.parse({}) }, head: towers };
    const model = buildModel(spec, sharedBottom, sizes);
    const ofStep = { features: { shape: [8, 12] }, scenarioOneHot: { shape: [8, 2] }, labels: { shape: [8, 2] } };
    const params = Object.entries(model.weights).map(([name, { shape }]) => [name, { shape }]);
    const textOf = (loss: LossFunction): string =>
      trace((given) => ({ losses: loss(given, { ...given, masks: {} } as unknown as StepInputs).taskLosses }), {
        ...ofStep,
        ...(Object.fromEntries(params) as InputSpecs),
      }).print();
    const loss = towersLoss(model);
    expect(textOf(overFields(model, loss))).toBe(textOf(loss));
  });
});

async function withCellGates(): Promise<Checkpoint> {
  const head = { ...autoIfs, gates: "CELL" as const };
  const parent = (await train({ kind: "SEARCH", head, dataset, hyperParameters: short })).checkpoint;
  return (await train({ kind: "PRUNE", head, dataset, parent, hyperParameters: short })).checkpoint;
}

async function answers(checkpoint: Checkpoint, rows: SplitRows): Promise<Float32Array> {
  const predictor = await loadPredictor(checkpoint, sharedBottom);
  const { probabilities } = await predictor.predict(rows);
  await predictor.release();
  return probabilities;
}

async function served(checkpoint: Checkpoint, rows: SplitRows): Promise<Float32Array> {
  const servable = await loadServable(checkpoint, sharedBottom, { threads: 1 });
  const probabilities = (await servable.predict(rows)).slice();
  await servable.release();
  return probabilities;
}
