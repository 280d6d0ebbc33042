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
  type Row,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import aitm from "./index.ts";

const config = { layers: [8, 6] };

for (const subject of subjects) describeBackbone(aitm, subject);

describe("aitm computes", () => {
  beforeAll(useReferenceBackend);

  it("by hand: q = 1 and p = 2 have scores 1 and 4, so z = 1·0.047426 + 2·0.952574", () => {
    const trial = setUp(aitm, { config: { layers: [1] }, sizes: { fields: 1, embeddingDim: 1 } });
    const one = tf.ones([1, 1]);
    const params: Params = {
      "task0.tower.0.kernel": one,
      "task0.tower.0.bias": tf.zeros([1]),
      "task1.tower.0.kernel": one,
      "task1.tower.0.bias": tf.zeros([1]),
      "task1.information.kernel": tf.fill([1, 1], 2),
      "task1.information.bias": tf.zeros([1]),
      "attention.query": one,
      "attention.key": one,
      "attention.value": one,
    };
    expect(Object.keys(params).sort()).toEqual(Object.keys(trial.params).sort());
    const row = { features: [1], scenario: 0 };
    expectClose(rowOutputs({ ...trial, params }, [row]), [[1, 1.952574]], "z_1, z_2", 1e-6);
    const { statistics } = run({ ...trial, params }, toBatch(trial, [row]));
    expectClose(statistics["task1.attention"]!.arraySync(), [[0.047426, 0.952574]], "weights", 1e-6);
  });

  for (const attention of ["shared", "transition"] as const)
    it(`what plain loops compute, with maps of the kind "${attention}"`, () => {
      const trial = setUp(aitm, { config: { ...config, attention }, sizes: { tasks: 4 } });
      const rows = makeRows(trial, 8);
      expectClose(
        rowOutputs(trial, rows),
        rows.map((row) => reference(trial, row, attention)),
      );
    });

  it("for one task the tower alone", () => {
    const trial = setUp(aitm, { config: { ...config, calibratorWeight: 1 }, sizes: { tasks: 1 } });
    expect(Object.keys(trial.params).every((name) => name.startsWith("task0.tower."))).toBe(true);
    expect(trial.backbone.logitLosses).toBeUndefined();
  });
});

describe("aitm's attention", () => {
  beforeAll(useReferenceBackend);

  it("has weights that sum to 1, halves where the tower says what was told", () => {
    const trial = setUp(aitm, { config });
    const rows = makeRows(trial, 5);
    const weights = (params: Params): number[][] =>
      run({ ...trial, params }, toBatch(trial, rows)).statistics["task1.attention"]!.arraySync() as number[][];
    weights(trial.params).forEach(([q, p]) => expect(q! + p!).toBeCloseTo(1, 6));

    // Information that is the identity over a tower equal to the first: q_2 = φ(q_1) = p_1.
    const copies = Object.keys(trial.params).map((name): [string, tf.Tensor] => [
      name,
      trial.params[name.replace("task1.tower", "task0.tower")]!,
    ]);
    const same = {
      ...Object.fromEntries(copies),
      "task1.information.kernel": tf.eye(6),
      "task1.information.bias": tf.zeros([6]),
    };
    expectClose(
      weights(same),
      rows.map(() => [0.5, 0.5]),
    );
  });

  it("looks back only: a task teaches its own tower and those before it", () => {
    const trial = setUp(aitm, { config, sizes: { tasks: 3 } });
    const batch = toBatch(trial, makeRows(trial, 16));
    for (const taught of [0, 1, 2]) {
      const { gradients } = gradientsOf(trial, batch, lossOf(taught));
      const learns = [0, 1, 2].map((t) => largest(gradients[`task${t}.tower.0.kernel`]!) > 0);
      expect(learns, `gradients of task ${taught}`).toEqual([0, 1, 2].map((t) => t <= taught));
    }
  });
});

describe("aitm's calibrator", () => {
  beforeAll(useReferenceBackend);

  const lossOf = (probabilities: number[][], calibratorWeight: number): number => {
    const { backbone } = setUp(aitm, { config: { ...config, calibratorWeight }, sizes: { tasks: 3 } });
    const logits = tf.tensor2d(probabilities.map((row) => row.map((y) => Math.log(y / (1 - y)))));
    return backbone.logitLosses!(logits)["calibrator"]!.arraySync() as number;
  };

  it("costs what later tasks are more probable than earlier ones, as a mean over the rows", () => {
    const rows = [
      [0.5, 0.6, 0.9], // 0.1 + 0.3
      [0.5, 0.2, 0.3], // 0 + 0.1
    ];
    expect(lossOf(rows, 0.6)).toBeCloseTo((0.6 * (0.1 + 0.3 + 0.1)) / 2, 6);
  });

  it("costs nothing where probabilities do not rise", () => {
    expect(lossOf([[0.9, 0.9, 0.2]], 1)).toBe(0);
  });

  it("is not there by default", () => {
    expect(setUp(aitm).backbone.logitLosses).toBeUndefined();
  });
});

describe("aitm with a task added later", () => {
  beforeAll(useReferenceBackend);

  const before = setUp(aitm, { config, sizes: { tasks: 2 } });
  const founders = { scenarios: 3, tasks: 2 };
  const after = setUp(aitm, { config, sizes: { tasks: 4, founders }, seed: 2 });
  const rows = makeRows(before, 5);

  it("has all the weights it had, and gives the same for the tasks it had", () => {
    const grown = { ...after, params: { ...after.params, ...before.params } };
    expect(Object.keys(grown.params)).toEqual(Object.keys(after.params));
    expect(rowOutputs(grown, rows).map((row) => row.slice(0, 12))).toEqual(rowOutputs(before, rows));
  });

  it("tells the new task what the last of the first tasks knows, and reads maps of its own", () => {
    const { gradients } = gradientsOf(after, toBatch(after, rows), lossOf(3));
    const read = Object.keys(gradients).filter((name) => largest(gradients[name]!) > 0);
    const parts = new Set(read.map((name) => name.split(".").slice(0, 2).join(".")));
    expect(parts.has("task1.tower") && parts.has("task3.attention")).toBe(true);
    expect([...parts].filter((part) => part.startsWith("task2."))).toEqual([]);
  });

  it("holds the new task against the last of the first tasks", () => {
    const sizes = { tasks: 4, founders };
    const { backbone } = setUp(aitm, { config: { ...config, calibratorWeight: 1 }, sizes });
    const logits = tf.tensor2d([[0.9, 0.5, 0.2, 0.6].map((y) => Math.log(y / (1 - y)))]);
    expect(backbone.logitLosses!(logits)["calibrator"]!.arraySync()).toBeCloseTo(0.1, 6);
  });
});

describe("aitm's size", () => {
  it("is T towers, and for every task but the first k² + k; the maps are 3k² once, or for every transition", () => {
    const [towers, k] = [3 * (12 * 8 + 8 + 8 * 6 + 6), 6];
    const count = (attention: string): number =>
      parameterCount(setUp(aitm, { config: { ...config, attention }, sizes: { tasks: 3 } }).backbone);
    expect(count("shared")).toBe(towers + 2 * (k * k + k) + 3 * k * k);
    expect(count("transition")).toBe(towers + 2 * (k * k + k) + 2 * 3 * k * k);
  });
});

/** A loss of one task alone. */
function lossOf(task: number): Parameters<typeof gradientsOf>[2] {
  return (at, batch) => probe(run(at, batch).representations.map((z, t) => (t === task ? z : tf.mul(z, 0))));
}

/** The representations of one row side by side, in float64. */
function reference({ params, sizes }: Trial, { features }: Row, attention: "shared" | "transition"): number[] {
  const product = (x: readonly number[], kernel: string): number[] => {
    const w = params[kernel]!.arraySync() as number[][];
    return w[0]!.map((_, j) => x.reduce((sum, value, i) => sum + value * w[i]![j]!, 0));
  };
  const layer = (x: readonly number[], name: string): number[] => {
    const b = params[`${name}.bias`]!.arraySync() as number[];
    return product(x, `${name}.kernel`).map((value, j) => Math.max(0, value + b[j]!));
  };
  const representations: number[][] = [];
  for (let t = 0; t < sizes.tasks; t++) {
    const q = layer(layer(features, `task${t}.tower.0`), `task${t}.tower.1`);
    if (t === 0) {
      representations.push(q);
      continue;
    }
    const inputs = [q, layer(representations[t - 1]!, `task${t}.information`)];
    const maps = attention === "shared" ? "attention" : `task${t}.attention`;
    const scores = inputs.map((u) => {
      const [a, b] = [product(u, `${maps}.query`), product(u, `${maps}.key`)];
      return Math.exp(a.reduce((sum, value, i) => sum + value * b[i]!, 0) / Math.sqrt(q.length));
    });
    const z = q.map(() => 0);
    inputs.forEach((u, i) =>
      product(u, `${maps}.value`).forEach((value, j) => (z[j]! += (scores[i]! / (scores[0]! + scores[1]!)) * value)),
    );
    representations.push(z);
  }
  return representations.flat();
}
