import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Params } from "#plugin";
import {
  describeBackbone,
  expectClose,
  gradientsOf,
  largest,
  makeRows,
  parameterCount,
  probe,
  rowOutputs,
  run,
  setUp,
  toBatch,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import aesm2 from "./index.ts";

const config = { experts: 4, scenarioLayers: [[6]], taskLayers: [[5]], scenarioDim: 3, taskDim: 2 };

for (const subject of subjects) describeBackbone(aesm2, subject);

describe("aesm2", () => {
  beforeAll(useReferenceBackend);

  it("mixes each row from as many experts as it chose, with weights of 1 in all", () => {
    const trial = setUp(aesm2, { config: { ...config, experts: 6, specificExperts: 2, sharedExperts: 3 } });
    const { statistics } = run(trial, toBatch(trial, makeRows(trial, 12)));
    for (const path of ["scenarioLayer0", "taskLayer0.task0", "taskLayer0.task1"]) {
      const [gate, specific, shared] = ["gate", "specific", "shared"].map((of) =>
        statistics[`${path}.${of}`]!.arraySync(),
      ) as [number[][], number[][], number[][]];
      gate.forEach((row, b) => {
        expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
        const count = row.filter((weight) => weight > 0).length;
        expect(count).toBeGreaterThanOrEqual(3);
        expect(count).toBeLessThanOrEqual(5);
        expect(row.map((weight) => weight > 0)).toEqual(row.map((_, k) => specific[b]![k]! + shared[b]![k]! > 0));
        expect([specific[b]!, shared[b]!].map((mask) => mask.reduce((sum, one) => sum + one))).toEqual([2, 3]);
      });
    }
  });

  it("has two losses, the means over the chosen experts summed over all choices, times their weights", () => {
    const trial = setUp(aesm2, { config });
    const lossesAt = (specificWeight: number, sharedWeight: number): (number | undefined)[] => {
      const { backbone } = setUp(aesm2, { config: { ...config, specificWeight, sharedWeight } });
      const { auxiliaryLosses } = run({ ...trial, backbone }, toBatch(trial, makeRows(trial, 8)));
      expect(Object.keys(auxiliaryLosses)).toEqual(["aesm_sp", "aesm_sh"]);
      return Object.values(auxiliaryLosses).map((loss) => loss.arraySync() as number);
    };
    const [specific, shared] = lossesAt(1, 1);
    expect(specific).toBeGreaterThan(0);
    expect(shared).toBeGreaterThanOrEqual(-1e-6);
    expectClose([lossesAt(0.5, 0.25) as number[]], [[specific! / 2, shared! / 4]]);
  });

  it("has none where there is one scenario and one task", () => {
    const trial = setUp(aesm2, { config, sizes: { scenarios: 1, tasks: 1 } });
    expect(run(trial, toBatch(trial, makeRows(trial, 4))).auxiliaryLosses).toEqual({});
    expect(trial.backbone.noise).toEqual({});
  });

  it("asks for noise of its own for every choice, and for none when told so", () => {
    const { noise } = setUp(aesm2, { config: { ...config, noise: 0.5 } }).backbone;
    expect(noise).toEqual({
      scenarioLayer0: { width: 3 * 4, std: 0.5 },
      "taskLayer0.task0": { width: 2 * 4, std: 0.5 },
      "taskLayer0.task1": { width: 2 * 4, std: 0.5 },
    });
    expect(setUp(aesm2, { config: { ...config, noise: 0 } }).backbone.noise).toEqual({});
  });

  it("sends the auxiliary losses to the gates, not to the experts of the same layer", () => {
    const trial = setUp(aesm2, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 8)), (at, batch) => {
      const { representations, auxiliaryLosses } = run(at, batch);
      // tfjs wants every parameter to have a way to the loss.
      return tf.addN([...Object.values(auxiliaryLosses), tf.mul(probe(representations), 0)]) as tf.Scalar;
    });
    expect(largest(gradients["scenarioLayer0.gate.kernel"]!)).toBeGreaterThan(0);
    expect(largest(gradients["taskLayer0.gate.task"]!)).toBeGreaterThan(0);
    expect(largest(gradients["taskLayer0.expert0.0.kernel"]!)).toBe(0);
  });

  it("takes its experts in any order, if the columns of the gates move with them", () => {
    const trial = setUp(aesm2, { config });
    const order = [2, 0, 3, 1];
    const params = Object.entries(trial.params).map(([name, value]) => {
      const expert = /^(scenarioLayer0\.expert)(\d)(.*)/.exec(name);
      if (expert) return [name, trial.params[`${expert[1]}${order[Number(expert[2])]}${expert[3]}`]!];
      if (!name.startsWith("scenarioLayer0.gate.")) return [name, value];
      const columns = [0, 1, 2].flatMap((group) => order.map((k) => 4 * group + k));
      return [name, tf.gather(value, columns, value.rank - 1)];
    });
    const rows = makeRows(trial, 6);
    expectClose(rowOutputs({ ...trial, params: Object.fromEntries(params) as Params }, rows), rowOutputs(trial, rows));
  });

  it("gives the rows of old scenarios what it gave, in the old tasks, after others were added", () => {
    const old = setUp(aesm2, { config });
    const founders = { scenarios: 3, tasks: 2 };
    const grown = setUp(aesm2, { config, sizes: { scenarios: 4, tasks: 3, founders }, seed: 2 });
    const params = Object.entries(grown.params).map(([name, value]) => [name, behind(old.params[name], value)]);
    const rows = makeRows(old, 6);
    const after = rowOutputs({ ...grown, params: Object.fromEntries(params) as Params }, rows);
    expect(after.map((row) => row.slice(0, 2 * 5))).toEqual(rowOutputs(old, rows));
  });

  it("has a size of n experts per layer and a gate for every scenario, or task, over them", () => {
    const gate = (inDim: number, groups: number): number => (inDim + 1) * groups * 4;
    const experts = (inDim: number, width: number): number => 4 * (inDim * width + width);
    const scenarioLayers = experts(12, 6) + gate(12 + 3, 3) + experts(6, 7) + gate(6 + 3, 3);
    const taskLayer = experts(7, 5) + gate(7 + 3 + 2, 2);
    const { backbone } = setUp(aesm2, { config: { ...config, scenarioLayers: [[6], [7]] } });
    expect(parameterCount(backbone)).toBe(3 * 3 + 2 * 2 + scenarioLayers + taskLayer);
  });

  it("refuses a configuration that chooses more experts than there are", () => {
    const { error } = aesm2.config.safeParse({ experts: 3, sharedExperts: 4 });
    expect(error!.issues.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "experts: specificExperts and sharedExperts at most as many as experts",
    ]);
  });
});

/** The old array with the rest of the larger one behind it, along the axis that is longer. */
function behind(old: tf.Tensor | undefined, larger: tf.Tensor): tf.Tensor {
  const axis = larger.shape.findIndex((size, i) => size !== old?.shape[i]);
  if (!old || axis < 0) return old ?? larger;
  const begin = larger.shape.map((_, i) => (i === axis ? old.shape[axis]! : 0));
  return tf.concat([old, tf.slice(larger, begin)], axis);
}
