import * as tf from "@tensorflow/tfjs-core";
import ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { TensorFunction } from "../../src/engine/engine.ts";
import { graphModel } from "../../src/engine/graphModel.ts";
import { openGraphModel, openOnnx } from "../../src/engine/modelFile.ts";
import { onnxModel } from "../../src/engine/onnxModel.ts";
import { portableGraph } from "../../src/engine/portableGraph.ts";
import type { FieldLayout } from "../../src/fieldLayout.ts";
import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { quantisedTable } from "../../src/model/folding/quantisedTables.ts";
import type { BackbonePlugin } from "../../src/plugin/contract.ts";
import { exportedFunction } from "../../src/serving/exportedFunction.ts";
import type { ExportOptions } from "../../src/serving/exportedFunction.ts";
import { loadPredictor } from "../../src/serving/predictor.ts";
import { quantisedCheckpoint } from "../../src/serving/quantisedCheckpoint.ts";
import { fixedGates, madeCheckpoint, madeRows } from "./madeCheckpoint.ts";
import type { MadeModel } from "./madeCheckpoint.ts";

/** Largest |Δp| of the ONNX file and of the TensorFlow.js files against the unfolded model, on 40 rows. */
async function differences(
  checkpoint: Checkpoint,
  plugin: BackbonePlugin,
  options: ExportOptions = {},
  expected: Checkpoint = checkpoint,
) {
  const batch = madeRows(checkpoint, 40, options.only);
  const reference = await loadPredictor(expected, plugin);
  const { probabilities } = await reference.predict(batch);
  await reference.release();
  const { fn, inputs, constants, tableBytes } = exportedFunction(checkpoint, plugin, options);
  const onnx = await openOnnx(onnxModel(fn, inputs, { constants }), inputs);
  const tfjs = await openGraphModel(graphModel(fn, inputs, { constants, producer: "test" }), inputs);
  const found: number[] = [];
  for (const file of [onnx, tfjs]) {
    const { ids, numbers, scenario } = batch;
    const answer = await file.run({
      ids,
      ...(numbers.length > 0 ? { numbers } : {}),
      ...(options.only === undefined ? { scenario } : {}),
    });
    expect(Object.keys(answer)).toEqual(["probabilities"]);
    found.push(probabilities.reduce((most, p, i) => Math.max(most, Math.abs(p - answer["probabilities"]![i]!)), 0));
    await file.release();
  }
  return { onnx: found[0]!, tfjs: found[1]!, tableBytes };
}

const gateRule = fixedGates(3, 2, 0.3);
const layouts: readonly FieldLayout[] = [
  { kind: "POOLED", length: 5, padding: 39, attendsTo: 1 },
  { kind: "ID" },
  { kind: "VALUE" },
  { kind: "POOLED", length: 3, padding: 39 },
  { kind: "VECTOR", width: 6 },
];

describe("a model as a function for files", () => {
  it.each<[string, MadeModel, number?]>([
    ["with gates of cells", { gateRule }],
    ["with gates of cells for one scenario", { gateRule }, 1],
    ["with gates of rows", { head: { gates: "ROW" }, gateRule: { kind: "HARD", threshold: 0.1 } }],
    ["on mmoe", { backbone: "mmoe", gateRule }],
    ["on ple with soft gates", { backbone: "ple", gateRule: { kind: "SOFT", temperature: 2 } }],
    ["with towers for one scenario", { head: { kind: "TOWERS", layers: [4] } }, 1],
    [
      "with fields of all kinds and gates of rows",
      { head: { gates: "ROW" }, gateRule: { kind: "HARD", threshold: 0.1 }, layouts },
    ],
    ["with fields of all kinds for one scenario", { gateRule, layouts }, 1],
  ])("%s answers in ONNX and TensorFlow.js as the unfolded model does", async (_, made, only) => {
    const { checkpoint, plugin } = madeCheckpoint(made);
    const { onnx, tfjs } = await differences(checkpoint, plugin, { only });
    expect(onnx).toBeLessThan(1e-6);
    expect(tfjs).toBeLessThan(1e-6);
  });

  it("that has grown answers each cell as when it came in", async () => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule, tasks: 2 });
    const model = { ...checkpoint.model, generations: [{ scenarios: 2, tasks: 1 }] };
    const embedding = checkpoint.arrays["embedding"]!;
    const newest = { ...embedding, values: embedding.values.map((x) => -x) };
    const grown = { ...checkpoint, model, arrays: { ...checkpoint.arrays, "embedding/1": newest } };
    for (const only of [undefined, 0, 2]) {
      const { onnx, tfjs, tableBytes } = await differences(grown, plugin, { only });
      expect(onnx).toBeLessThan(1e-6);
      expect(tfjs).toBeLessThan(1e-6);
      // What came in with scenario 2 is all that it needs.
      expect(tableBytes.before).toBe((only === 2 ? 1 : 2) * embedding.values.byteLength);
    }
  });

  it("with quantised tables answers as the unfolded model with their numbers does, from a part of the bytes", async () => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule });
    const options = { isQuantised: true };
    const { onnx, tfjs, tableBytes } = await differences(checkpoint, plugin, options, quantisedCheckpoint(checkpoint));
    expect(onnx).toBeLessThan(1e-6);
    expect(tfjs).toBeLessThan(1e-6);
    // Of 4 numbers: 4 bytes and a scale.
    expect(tableBytes.after).toBe(tableBytes.before / 2);
    const { onnx: changed } = await differences(checkpoint, plugin, options);
    expect(changed).toBeGreaterThan(1e-6);
    expect(changed).toBeLessThan(0.02);
  });

  it("has the input `scenario` even where nothing reads it, and none where it is for one scenario", async () => {
    const { checkpoint, plugin } = madeCheckpoint({ head: { kind: "TOWERS", layers: [4] } });
    const inputsOf = async (only: number | undefined) => {
      const { fn, inputs, constants } = exportedFunction(checkpoint, plugin, { only });
      return (await ort.InferenceSession.create(onnxModel(fn, inputs, { constants }))).inputNames;
    };
    expect(await inputsOf(undefined)).toEqual(["ids", "scenario"]);
    expect(await inputsOf(1)).toEqual(["ids"]);
  });
});

describe("a quantised table", () => {
  it("is off by half a scale at most, keeps the largest of a row, and rows of zeros", () => {
    const values = Float32Array.of(0.5, -2, 0.01, 1, 0, 0, 0, 0);
    const tables = quantisedTable("t", { shape: [2, 4], values });
    const [q, scale] = [tables["t"]!.values, tables["t/scale"]!.values];
    expect([...q]).toEqual([32, -127, 1, 64, 0, 0, 0, 0]);
    expect(scale[1]).toBe(0);
    values.forEach((x, i) => {
      const s = scale[Math.floor(i / 4)]!;
      expect(Math.abs(x - q[i]! * s)).toBeLessThanOrEqual(s / 2 + 1e-9);
    });
  });
});

describe("a graph for files", () => {
  const inputs = { x: { shape: ["batch", 2, 3] as const } };

  it("needs no operators of onnxruntime's own", () => {
    const graph = portableGraph(({ x }) => ({ y: tf.matMul(x!, x!, false, true) }), inputs);
    expect(graph.print()).toContain("Transpose");
    expect(graph.print()).not.toContain("FusedMatMul");
  });

  it("gives in tfjs what it gives in onnxruntime, with the operators that backbones may use", async () => {
    const fn: TensorFunction = ({ x, k }) => {
      const flat = tf.reshape(x!, [-1, 6]); // [batch, 6]
      const [left, right] = tf.split(flat, 2, 1) as [tf.Tensor2D, tf.Tensor2D]; // [batch, 3]
      const mean = tf.mean(x!, 2, true); // [batch, 2, 1]
      const wide = tf.add(tf.broadcastTo(mean, x!.shape), tf.mul(tf.max(x!, 1, true), tf.sum(x!)));
      const parts = [
        tf.softmax(left),
        tf.leakyRelu(right, 0.1),
        tf.step(left),
        tf.clipByValue(right, -0.5, 0.5),
        tf.where(tf.greater(left, right), left, tf.neg(right)),
        tf.cast(tf.argMax(left, 1), "float32").expandDims(1),
        tf.cumsum(right, 1),
        tf.slice(flat, [0, 1], [-1, 2]),
        tf.matMul(left, k as tf.Tensor2D, false, true),
        tf.reshape(tf.matMul(wide, x!, false, true), [-1, 4]),
        tf.tile(tf.sqrt(tf.abs(left)), [1, 2]),
        tf.transpose(tf.transpose(tf.elu(left))),
        tf.oneHot(
          tf.cast(tf.floor(tf.abs(tf.squeeze(tf.slice(left, [0, 0], [-1, 1]), [1]))), "int32"),
          3,
          1,
          0,
          "float32",
        ),
        tf.logSoftmax(tf.square(right)),
        tf.sub(
          tf.prod(x!, 2),
          tf.div(tf.min(x!, 2), tf.add(tf.exp(tf.sigmoid(tf.max(x!, 2))), tf.softplus(tf.tanh(tf.max(x!, 2))))),
        ),
      ];
      return { y: tf.concat(parts as tf.Tensor2D[], 1) };
    };
    const constants = { k: { shape: [2, 3], values: Float32Array.of(1, -2, 0.5, 3, 0.25, -1) } };
    const onnx = await openOnnx(onnxModel(fn, inputs, { constants }), inputs);
    const tfjs = await openGraphModel(graphModel(fn, inputs, { constants, producer: "test" }), inputs);
    for (const rows of [1, 5]) {
      const x = Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(7 * i) * 2);
      const [expected, y] = [(await onnx.run({ x }))["y"]!, (await tfjs.run({ x }))["y"]!];
      expect(y).toHaveLength(expected.length);
      expected.forEach((value, i) => expect(y[i]).toBeCloseTo(value, 4));
    }
    await onnx.release();
    await tfjs.release();
  });

  it("is refused in the TensorFlow.js layout where that has no such operator, which is named", () => {
    const padded = () =>
      graphModel(
        ({ x }) => ({
          y: tf.pad(x!, [
            [0, 0],
            [1, 0],
            [0, 0],
          ]),
        }),
        inputs,
        { producer: "test" },
      );
    expect(padded).toThrow("format: expected a model of operators that the TensorFlow.js layout has, but it needs Pad");
  });
});
