import { describe, expect, it } from "vitest";
import { graphModel } from "../../src/engine/graphModel.ts";
import { openGraphModel, openOnnx } from "../../src/engine/modelFile.ts";
import { onnxModel } from "../../src/engine/onnxModel.ts";
import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { exportedFunction } from "../../src/serving/exportedFunction.ts";
import { searchedFunction } from "../../src/serving/frozenModel.ts";
import { descriptionOf } from "../../src/serving/generations.ts";
import { loadPredictor } from "../../src/serving/predictor.ts";
import { loadServable } from "../../src/serving/servable.ts";
import type { TaskConditions } from "../../src/taskConditions.ts";
import { fixedGates, type MadeModel, madeCheckpoint, madeRows } from "./madeCheckpoint.ts";

/** The second task stands under the third, and that one under the first. */
const conditions: TaskConditions = [null, 2, 0];

function conditional(made: MadeModel, own: TaskConditions = conditions) {
  const { checkpoint, plugin } = madeCheckpoint({ tasks: own.length, ...made });
  return { checkpoint: { ...checkpoint, shape: { ...checkpoint.shape, conditions: own } }, plain: checkpoint, plugin };
}

async function unfolded(checkpoint: Checkpoint, plugin: ReturnType<typeof conditional>["plugin"], only?: number) {
  const predictor = await loadPredictor(checkpoint, plugin);
  const { probabilities } = await predictor.predict(madeRows(checkpoint, 40, only));
  await predictor.release();
  return probabilities;
}

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

const models: [string, MadeModel, number?][] = [
  ["towers", { head: { kind: "TOWERS", layers: [4] } }],
  ["gates of cells", { gateRule: fixedGates(3, 3, 0.3) }],
  ["gates of cells, one scenario alone", { gateRule: fixedGates(3, 3, 0.3) }, 1],
  ["hard gates of rows", { head: { gates: "ROW" }, gateRule: { kind: "HARD", threshold: 0.1 } }],
  ["a representation per task and soft gates", { backbone: "ple", gateRule: { kind: "SOFT", temperature: 2 } }],
];

describe("a model with conditional tasks", () => {
  it.each(models)("answers with products of its own probabilities: %s", async (_, made, only) => {
    const { checkpoint, plain, plugin } = conditional(made);
    const [own, answered] = [await unfolded(plain, plugin, only), await unfolded(checkpoint, plugin, only)];
    const products = own.map((p, i) => [p, own[i - 1]! * own[i + 1]! * p, own[i - 2]! * p][i % 3]!);
    expect(largest(answered, products)).toBeLessThan(1e-6);
    for (let row = 0; row < 40; row++) {
      const [first, second, third] = answered.subarray(row * 3, row * 3 + 3);
      expect(third).toBeLessThanOrEqual(first!);
      expect(second).toBeLessThanOrEqual(third!);
    }
  });

  it.each(models)("answers the same folded and as a file: %s", async (_, made, only) => {
    const { checkpoint, plugin } = conditional(made);
    const expected = await unfolded(checkpoint, plugin, only);
    const rows = madeRows(checkpoint, 40, only);
    const scenario = only === undefined ? {} : { scenario: `scenario ${only}` };
    const servable = await loadServable(checkpoint, plugin, scenario);
    expect(largest(await servable.predict(rows), expected)).toBeLessThan(1e-6);
    await servable.release();
    const { fn, inputs, constants } = exportedFunction(checkpoint, plugin, { only });
    const onnx = await openOnnx(onnxModel(fn, inputs, { constants }), inputs);
    const tfjs = await openGraphModel(graphModel(fn, inputs, { constants, producer: "test" }), inputs);
    for (const file of [onnx, tfjs]) {
      const { ids, scenario: own } = rows;
      const { probabilities } = await file.run(only === undefined ? { ids, scenario: own } : { ids });
      expect(largest(probabilities as Float32Array, expected)).toBeLessThan(1e-6);
      await file.release();
    }
  });

  it("answers the same as it was searched", async () => {
    const { checkpoint, plugin } = conditional({ gateRule: fixedGates(3, 3, 0.3) });
    const { fn, inputs, constants } = searchedFunction(checkpoint, plugin);
    const file = await openOnnx(onnxModel(fn, inputs, { constants }), inputs);
    const { ids, scenario } = madeRows(checkpoint, 40);
    const { probabilities } = await file.run({ ids, scenario });
    await file.release();
    expect(largest(probabilities as Float32Array, await unfolded(checkpoint, plugin))).toBeLessThan(1e-6);
  });

  it("has in a generation the conditions of the tasks it had, and grows by one under an old task", async () => {
    const { checkpoint, plugin } = conditional({ gateRule: fixedGates(3, 2, 0.3), tasks: 2 }, [null, 0]);
    const generations = [
      { scenarios: 3, tasks: 1 },
      { scenarios: 3, tasks: 2 },
    ];
    expect(descriptionOf(checkpoint, generations, 0).shape).not.toHaveProperty("conditions");
    expect(descriptionOf(checkpoint, generations, 1).shape.conditions).toEqual([null, 0]);

    const model = { ...checkpoint.model, generations: [generations[0]!] };
    const grown = {
      ...checkpoint,
      model,
      arrays: { ...checkpoint.arrays, "embedding/1": checkpoint.arrays["embedding"]! },
    };
    expect(largest(await unfolded(grown, plugin), await unfolded(checkpoint, plugin))).toBeLessThan(1e-6);
    const servable = await loadServable(grown, plugin);
    expect(largest(await servable.predict(madeRows(grown, 40)), await unfolded(grown, plugin))).toBeLessThan(1e-6);
    await servable.release();
  });
});
