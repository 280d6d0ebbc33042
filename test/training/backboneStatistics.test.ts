import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { initialise } from "../../src/model/initialise.ts";
import { buildModel } from "../../src/model/model.ts";
import { definePlugin, dense, denseParams } from "../../src/plugin/index.ts";
import { param } from "../../src/plugin/layers.ts";
import { createStatisticsReader } from "../../src/training/backboneStatistics.ts";
import { tinyRows, tinyShape } from "./tinyDataset.ts";
import { hyperParameters, newRecording, towers, train } from "./tinyTraining.ts";

/** A layer of two experts and a gate over them. */
const gated = definePlugin({
  name: "gated",
  paper: { title: "", venue: "", url: "" },
  summary: "",
  config: z.object({}),
  build: ({ inputDim }) => ({
    outputDim: 4,
    perTask: false,
    params: { ...denseParams("layer", inputDim, 4), ...denseParams("gate", inputDim, 2) },
    forward(p, { features }) {
      const gate = tf.softmax(dense(p, "gate", features)); // [batch, 2]
      const size = tf.sum(tf.square(features), 1, true) as tf.Tensor2D; // [batch, 1]
      const both = tf.tile(gate, [1, 2]) as tf.Tensor2D; // [batch, 4]
      return {
        representations: tf.mul(both, tf.relu(dense(p, "layer", features))),
        statistics: { gate, size },
      };
    },
  }),
});

const spec = { backbone: { name: "gated", config: {} }, head: towers };
const model = buildModel(spec, gated, { fields: 3, embeddingDim: 4, scenarios: 3, tasks: 2 });
const table = { embedding: param([tinyShape.ids, 4], { kind: "normal", std: 1 }) };
const arrays = initialise({ ...table, ...model.weights }, 3);
const shape = { ids: tinyShape.ids, scenarios: ["home", "search", "video"] };
const goOn = () => Promise.resolve();

/** Row by row, in float64. */
function slowMeans(rows: ReturnType<typeof tinyRows>) {
  const [embedding, kernel, bias] = ["embedding", "backbone/gate.kernel", "backbone/gate.bias"].map(
    (name) => arrays[name]!.values,
  );
  return [0, 1].map((k) => {
    const own = Array.from({ length: rows.rows }, (_, row) => row).filter((row) => rows.scenario[row] === k);
    const means = own.map((row) => {
      const x = [0, 1, 2].flatMap((f) => {
        const id = rows.ids[row * 3 + f]!;
        return [...embedding!.subarray(id * 4, id * 4 + 4)];
      });
      const logits = [0, 1].map((j) => x.reduce((sum, value, i) => sum + value * kernel![i * 2 + j]!, bias![j]!));
      const gate = 1 / (1 + Math.exp(logits[1]! - logits[0]!));
      return [gate, x.reduce((sum, value) => sum + value * value, 0)];
    });
    const mean = (i: number) => means.reduce((sum, values) => sum + values[i]!, 0) / own.length;
    return { gate: [mean(0), 1 - mean(0)], size: [mean(1)] };
  });
}

describe("what a backbone says of its rows", () => {
  it("is averaged over the rows of each scenario that has some (float64, 1e-5)", async () => {
    const rows = tinyRows({ rows: 5000 }); // more than one run of the graph
    const reader = createStatisticsReader(await createEngine("compiled"), model, shape, goOn);
    const statistics = await reader.read(arrays, rows);
    await reader.release();
    const slow = slowMeans(rows);
    expect(statistics.map(({ name, scenario }) => `${name} of ${scenario}`)).toEqual([
      "gate of home",
      "gate of search",
      "size of home",
      "size of search",
    ]);
    for (const { name, scenario, values } of statistics) {
      const expected = slow[shape.scenarios.indexOf(scenario)]![name as "gate" | "size"];
      expect(values).toHaveLength(expected.length);
      for (const [i, value] of values.entries()) expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-5);
    }
  });

  it("is told after every epoch of a training", async () => {
    const record = newRecording();
    await train({ plugin: gated, record, hyperParameters: { ...hyperParameters, maxEpochs: 2 } });
    expect(record.statistics.map(({ phase, epoch }) => [phase, epoch])).toEqual([
      ["train", 1],
      ["train", 2],
    ]);
    for (const { statistics } of record.statistics) {
      const gates = statistics.filter(({ name }) => name === "gate");
      expect(gates.map(({ scenario }) => scenario)).toEqual(tinyShape.scenarios);
      for (const { values } of gates) expect(values[0]! + values[1]!).toBeCloseTo(1, 5);
    }
  });

  it("costs no graph where it says nothing", async () => {
    const engine: Engine = { name: "compiled", compile: () => Promise.reject(new Error("compiled")) };
    const silent = buildModel(
      { backbone: { name: "shared-bottom", config: { layers: [4], batchNorm: false, dropout: 0 } }, head: towers },
      sharedBottom,
      model.sizes,
    );
    const reader = createStatisticsReader(engine, silent, shape, goOn);
    expect(await reader.read(initialise({ ...table, ...silent.weights }, 3), tinyRows({ rows: 20 }))).toEqual([]);
    await reader.release();
  });
});
