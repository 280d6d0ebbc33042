import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { mlp, type Params } from "#plugin";
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
import crossStitch from "./index.ts";

const config = { layers: [8, 6] };

for (const subject of subjects) describeBackbone(crossStitch, subject);

describe("cross-stitch mixes its columns", () => {
  beforeAll(useReferenceBackend);

  it("by the weights of the task: [1, 2] and [3, 0] by 0.9 and 0.1 are [1.2, 1.8] and [2.8, 0.2]", () => {
    const trial = setUp(crossStitch, { config: { layers: [2] }, sizes: { fields: 1, embeddingDim: 1 }, spread: 0 });
    const params = {
      ...trial.params,
      "task0.0.kernel": tf.tensor2d([[1, 2]]),
      "task1.0.kernel": tf.tensor2d([[3, 0]]),
    };
    expectClose(rowOutputs({ ...trial, params }, [{ features: [1], scenario: 0 }]), [[1.2, 1.8, 2.8, 0.2]]);
  });

  it("into rows that sum to one before training", () => {
    const { params } = setUp(crossStitch, { config: { ...config, ownWeight: 0.7 }, sizes: { tasks: 4 }, spread: 0 });
    expectClose([Array.from(params["task3.1.stitch.own"]!.dataSync())], [[0.7]]);
    expectClose([Array.from(params["task3.1.stitch.others"]!.dataSync())], [[0.1, 0.1, 0.1]]);
  });

  it("as a slow reference does, for four tasks and any weights", () => {
    const trial = setUp(crossStitch, { config, sizes: { tasks: 4 } });
    const rows = makeRows(trial, 5);
    expectClose(
      rowOutputs(trial, rows),
      rows.map((row) => slowColumns(trial, row).flat()),
    );
  });

  it("with weights that learn at a rate of their own", () => {
    const { backbone } = setUp(crossStitch, { config: { ...config, stitchLearningRate: 100 } });
    const factors = Object.entries(backbone.params).map(([name, { learningRateFactor: factor }]) => [name, factor]);
    for (const [name, factor] of factors) expect(factor).toBe(String(name).includes(".stitch.") ? 100 : undefined);
  });

  it("after each layer, so that all columns are equal once all weights are", () => {
    const trial = setUp(crossStitch, { config: { layers: [6] } });
    const rows = makeRows(trial, 4);
    const outputs = rowOutputs({ ...trial, params: withWeights(trial.params, 0.5, 0.5) }, rows);
    expectClose(
      outputs.map((row) => row.slice(0, 6)),
      outputs.map((row) => row.slice(6)),
    );
  });
});

describe("cross-stitch without a weight for the others", () => {
  beforeAll(useReferenceBackend);

  it("is a network per task", () => {
    const trial = setUp(crossStitch, { config });
    const params = withWeights(trial.params, 1, 0);
    const rows = makeRows(trial, 4);
    const { features } = toBatch(trial, rows);
    const mode = { training: false, dropout: same, addNoise: same, updateBuffer: () => {} };
    const [first, second] = [0, 1].map((t) => mlp(`task${t}`, 12, [8, 6]).forward(params, features, mode).arraySync());
    expectClose(
      rowOutputs({ ...trial, params }, rows),
      rows.map((_, b) => [...first![b]!, ...second![b]!]),
    );
  });

  it("learns each column from its own task only", () => {
    const trial = setUp(crossStitch, { config });
    expect(learnsFromFirst({ ...trial, params: withWeights(trial.params, 1, 0) }, "task1.0.kernel")).toBe(false);
    expect(learnsFromFirst(trial, "task1.0.kernel")).toBe(true);
  });
});

describe("cross-stitch for one task", () => {
  it("has nothing to mix and no weights for it", () => {
    const { backbone } = setUp(crossStitch, { config, sizes: { tasks: 1 } });
    expect(Object.keys(backbone.params).filter((name) => name.includes("stitch"))).toEqual([]);
  });
});

describe("cross-stitch with a task added later", () => {
  beforeAll(useReferenceBackend);

  it("gives the founders what they had, and lets the new column read theirs", () => {
    const before = setUp(crossStitch, { config });
    const after = setUp(crossStitch, { config, sizes: { tasks: 3, founders: { scenarios: 3, tasks: 2 } } });
    const rows = makeRows(before, 4);
    const grown = { ...after, params: { ...after.params, ...before.params } };
    expectClose(
      rowOutputs(grown, rows).map((row) => row.slice(0, 12)),
      rowOutputs(before, rows),
    );
    expect(after.params["task2.0.stitch.others"]!.shape).toEqual([2]);
  });
});

describe("cross-stitch's size", () => {
  it("is T(w + Σd) and T² weights per layer", () => {
    const { backbone } = setUp(crossStitch, { config, sizes: { tasks: 3 } });
    expect(parameterCount(backbone)).toBe(3 * (12 * 8 + 8 * 6 + 8 + 6) + 2 * 9);
  });
});

const same = (_: string, x: tf.Tensor2D): tf.Tensor2D => x;

function withWeights(params: Params, own: number, others: number): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      if (!name.includes(".stitch.")) return [name, value];
      return [name, tf.fill(value.shape, name.endsWith(".own") ? own : others)];
    }),
  );
}

function learnsFromFirst(trial: Trial, name: string): boolean {
  const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 8)), (at, batch) => {
    const { representations } = run(at, batch);
    return probe([representations[0]!, tf.mul(representations[1]!, 0)]);
  });
  return largest(gradients[name]!) > 0;
}

/** The columns of one row after the last layer, [task][H], unit by unit. */
function slowColumns({ params, sizes }: Trial, { features }: Row): number[][] {
  const tasks = Array.from({ length: sizes.tasks }, (_, t) => t);
  const values = (name: string): number[] => Array.from(params[name]!.dataSync());
  return [0, 1].reduce<(readonly number[])[]>(
    (h, l) => {
      const own = tasks.map((t) => {
        const kernel = params[`task${t}.${l}.kernel`]!.arraySync() as number[][];
        return values(`task${t}.${l}.bias`).map((bias, j) =>
          Math.max(0, bias + h[t]!.reduce((sum, x, i) => sum + x * kernel[i]![j]!, 0)),
        );
      });
      return tasks.map((t) => {
        const others = values(`task${t}.${l}.stitch.others`);
        const weights = tasks.map((r) =>
          r === t ? values(`task${t}.${l}.stitch.own`)[0]! : others[r < t ? r : r - 1]!,
        );
        return own[t]!.map((_, j) => weights.reduce((sum, weight, r) => sum + weight * own[r]![j]!, 0));
      });
    },
    tasks.map(() => features),
  ) as number[][];
}
