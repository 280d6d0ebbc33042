import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Params } from "#plugin";
import {
  contract,
  describeBackbone,
  expectClose,
  gradientsOf,
  largest,
  makeRows,
  parameterCount,
  probe,
  probeLoss,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { balanced } from "./balance.ts";
import { subjects } from "./contract.ts";
import m3oe from "./index.ts";

const config = { starWidth: 8, sharedWidth: 7, experts: 3, layers: [6] };

for (const subject of subjects) describeBackbone(m3oe, subject);

describe("m3oe with experts of several layers", () => {
  beforeAll(useReferenceBackend);

  for (const rule of [
    "gives the same loss and gradients compiled as eager",
    "gives the same output compiled as eager, for any batch size from one graph",
  ] as const)
    it(rule, () => contract[rule]({ plugin: m3oe, config: { ...config, experts: 1, layers: [5, 4] } }));
});

describe("m3oe balances experts", () => {
  beforeAll(useReferenceBackend);

  it("by β for its own and the rest for the others: 2, 4 and 8 by 0.75 are 3 for the first", () => {
    const weights = balanced(3, 3, tf.tensor1d([0.75]));
    expectClose(tf.matMul<tf.Tensor2D>(weights, tf.tensor2d([[2], [4], [8]])).arraySync(), [[3], [4.25], [6.75]]);
  });

  it("not at all where there is one, and those added later over the founders and their own", () => {
    expect(balanced(1, 1, undefined).arraySync()).toEqual([[1]]);
    expectClose(balanced(3, 2, tf.tensor1d([0.5])).arraySync(), [
      [0.5, 0.5, 0],
      [0.5, 0.5, 0],
      [0.25, 0.25, 0.5],
    ]);
    expect(balanced(2, 1, tf.tensor1d([0.25])).arraySync()).toEqual([
      [1, 0],
      [0.75, 0.25],
    ]);
  });

  it("so that a row's scenario counts for nothing in the mean of all: β = 1/S", () => {
    const weights = balanced(4, 4, tf.tensor1d([0.25]));
    expectClose(weights.arraySync(), Array(4).fill([0.25, 0.25, 0.25, 0.25]));
  });
});

describe("m3oe fuses", () => {
  beforeAll(useReferenceBackend);

  it("by weights that begin at σ(1) and learn at a rate of their own", () => {
    const { backbone, params } = setUp(m3oe, { config: { ...config, fusionLearningRate: 20 }, spread: 0 });
    const own = Object.entries(backbone.params).filter(([, spec]) => spec.learningRateFactor !== undefined);
    expect(own.map(([name, { learningRateFactor }]) => [name, learningRateFactor])).toEqual([
      ["fusion.scenarios", 20],
      ["fusion.tasks", 20],
      ["balance.scenarios", 20],
      ["balance.tasks", 20],
    ]);
    expect(tf.sigmoid(params["fusion.tasks"]!).dataSync()[0]).toBeCloseTo(0.731059, 5);
  });

  it("nothing but the common experts when both weights are zero: they alone, uniformly before training", () => {
    const trial = setUp(m3oe, { config, sizes: { tasks: 1 }, spread: 0 });
    const off = { "fusion.scenarios": tf.tensor1d([-50]), "fusion.tasks": tf.tensor1d([-50]) };
    const params = { ...trial.params, ...off };
    const rows = makeRows(trial, 4);
    const only = (k: number): number[][] =>
      rowOutputs({ ...trial, params: { ...params, "task0.gate.bias": pick(k) } }, rows);
    const experts = [0, 1, 2].map(only);
    const mean = rows.map((_, b) => experts[0]![b]!.map((_, j) => experts.reduce((sum, e) => sum + e[b]![j]!, 0) / 3));
    expectClose(rowOutputs({ ...trial, params }, rows), mean);
  });
});

describe("m3oe's gates", () => {
  beforeAll(useReferenceBackend);

  it("sum to one, one per scenario and task", () => {
    const trial = setUp(m3oe, { config });
    const { statistics } = run(trial, toBatch(trial, makeRows(trial, 5)));
    expect(Object.keys(statistics)).toEqual(["task0.gate", "task1.gate"]);
    for (const gate of Object.values(statistics)) {
      expectClose(tf.sum(gate, 1, true).arraySync() as number[][], Array(5).fill([1]));
      expect(tf.min(gate).dataSync()[0]).toBeGreaterThanOrEqual(0);
    }
  });

  it("send no gradient below: without them the gradients there are those of finite differences", () => {
    const trial = setUp(m3oe, { config });
    const silent = Object.fromEntries(
      ["task0.gate.kernel", "task1.gate.kernel"].map((name) => [name, tf.zerosLike(trial.params[name]!)]),
    );
    const at: Trial = { ...trial, params: { ...trial.params, ...silent } };
    const batch = toBatch(at, makeRows(at, 6));
    const { gradients } = gradientsOf(at, batch);
    for (const name of ["star.kernel", "star.scenario.kernel", "inner.kernel", "inner.gamma", "skip.kernel"]) {
      const value = at.params[name]!;
      const line = tf.sin(tf.mul(tf.range(0, value.size), 1.7)).reshape(value.shape);
      const direction = tf.div(line, tf.norm(line));
      const slope = tf.sum(tf.mul(gradients[name]!, direction)).arraySync() as number;
      const lossAt = (by: number): number => {
        const moved = tf.add(value, tf.mul(direction, by));
        return probeLoss({ ...at, params: { ...at.params, [name]: moved } }, batch).arraySync();
      };
      const differences = [4e-3, 1e-3, 2.5e-4].map((h) => Math.abs((lossAt(h) - lossAt(-h)) / (2 * h) - slope));
      expect(Math.min(...differences), name).toBeLessThan(2e-3 + 0.01 * Math.abs(slope));
    }
  });
});

describe("what m3oe has of a scenario's or task's own", () => {
  beforeAll(useReferenceBackend);

  const absent = (trial: Trial) =>
    makeRows(trial, 12).map((row) => ({ ...row, scenario: row.scenario === 1 ? 0 : row.scenario }));

  it("in the star layer and the gates learns from the rows of that scenario only", () => {
    const trial = setUp(m3oe, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, absent(trial)));
    for (const name of ["star.scenario.kernel", "star.scenario.bias", "task0.gate.kernel"]) {
      const value = gradients[name]!;
      const learns = tf.split(value, 3, value.rank - 1).map((part) => largest(part) > 0);
      expect([name, ...learns]).toEqual([name, true, false, true]);
    }
  });

  it("as an expert learns from the others too, unless β is one", () => {
    const trial = setUp(m3oe, { config });
    const alone = { ...trial, params: { ...trial.params, "balance.scenarios": tf.tensor1d([50]) } };
    const learns = (at: Trial): boolean => {
      const { gradients } = gradientsOf(at, toBatch(at, absent(at)));
      return largest(gradients["scenario1.expert.0.kernel"]!) > 0;
    };
    expect([learns(trial), learns(alone)]).toEqual([true, false]);
  });

  it("as a task's gate learns from that task only", () => {
    const trial = setUp(m3oe, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 8)), (at, batch) => {
      const { representations } = run(at, batch);
      return probe([representations[0]!, tf.mul(representations[1]!, 0)]);
    });
    expect(largest(gradients["task0.gate.kernel"]!)).toBeGreaterThan(0);
    expect(largest(gradients["task1.gate.kernel"]!)).toBe(0);
  });
});

describe("m3oe with a scenario or task added later", () => {
  beforeAll(useReferenceBackend);

  it.each([
    { added: "a scenario", sizes: { scenarios: 4 } },
    { added: "a task", sizes: { tasks: 3 } },
  ])("gives the old cells what they had: $added", ({ sizes }) => {
    const before = setUp(m3oe, { config });
    const after = setUp(m3oe, { config, sizes: { ...sizes, founders: { scenarios: 3, tasks: 2 } } });
    // The old array comes first, along one axis.
    const grown = Object.entries(after.params).map(([name, value]): [string, tf.Tensor] => {
      const old = before.params[name];
      const axis = old?.shape.findIndex((size, i) => size !== value.shape[i]) ?? -1;
      if (!old || axis < 0) return [name, old ?? value];
      const begin = value.shape.map((_, i) => (i === axis ? old.shape[i]! : 0));
      return [name, tf.concat([old, tf.slice(value, begin)], axis)];
    });
    const rows = makeRows(before, 5);
    const outputs = rowOutputs({ ...after, params: Object.fromEntries(grown) as Params }, rows);
    expectClose(
      outputs.map((row) => row.slice(0, 12)),
      rowOutputs(before, rows),
      "old cells",
      1e-6,
    );
  });
});

describe("m3oe's size", () => {
  it("is the star layer, two blocks, K + S + T experts, the gates and four weights", () => {
    const { backbone } = setUp(m3oe, { config });
    const [S, T, D, K, star, shared, H] = [3, 2, 12, 3, 8, 7, 6];
    const block = (from: number, to: number): number => from * to + 3 * to;
    const trunk = (1 + S) * (D + 1) * star + block(star, shared) + block(D, shared);
    const gates = T * (shared + 1) * S * K;
    expect(parameterCount(backbone)).toBe(trunk + (K + S + T) * block(shared, H) + gates + 4);
  });
});

/** Biases of a gate over three experts and three scenarios that pick expert k. */
function pick(k: number): tf.Tensor {
  return tf.tensor1d(Array.from({ length: 9 }, (_, column) => (column % 3 === k ? 50 : 0)));
}
