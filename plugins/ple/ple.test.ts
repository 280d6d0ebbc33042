import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Params } from "#plugin";
import {
  describeBackbone,
  expectClose,
  expectGolden,
  goldenParams,
  gradientsOf,
  largest,
  layerName,
  makeRows,
  parameterCount,
  probe,
  readGolden,
  rowOutputs,
  run,
  setUp,
  toBatch,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import ple from "./index.ts";

const config = { levels: [[8], [6]], specificExperts: 2, sharedExperts: 3 };

for (const subject of subjects) describeBackbone(ple, subject);

describe("ple agrees with the golden vectors", () => {
  const golden = readGolden<GoldenConfig, GoldenExpected>(new URL("golden/ple.json", import.meta.url));
  let params: Params;
  beforeAll(async () => {
    await useReferenceBackend();
    params = goldenParams(golden, (name) => layerName(name).replace(/^L(\d+)/, "level$1"));
  });
  const set = (levels: readonly (readonly number[])[]) =>
    setUp(ple, {
      config: { levels, specificExperts: golden.config.specific_per_task, sharedExperts: golden.config.shared },
      sizes: { fields: golden.config.D0, embeddingDim: 1, tasks: golden.config.tasks },
    });

  it("after both levels", () => {
    expectGolden(set(golden.config.level_dims), params, golden.inputs, golden.expected.out);
  });

  it("after the first level, taken as a model of one level", () => {
    const alone = set(golden.config.level_dims.slice(0, 1));
    const firstLevel = Object.fromEntries(Object.keys(alone.params).map((name) => [name, params[name]!]));
    expectGolden(alone, firstLevel, golden.inputs, golden.expected.levels[0]!.task_out);
  });
});

interface GoldenConfig {
  readonly D0: number;
  readonly tasks: number;
  readonly specific_per_task: number;
  readonly shared: number;
  readonly level_dims: readonly (readonly number[])[];
}

interface GoldenExpected {
  readonly levels: readonly { readonly task_out: readonly (readonly (readonly number[])[])[] }[];
  readonly out: readonly (readonly (readonly number[])[])[];
}

describe("ple's experts", () => {
  beforeAll(useReferenceBackend);

  it("of the last level learn from their own task only, those below from every task", () => {
    const trial = setUp(ple, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 16)), (at, batch) => {
      const { representations } = run(at, batch);
      return probe([representations[0]!, tf.mul(representations[1]!, 0)]); // the loss of task 0
    });
    const learns = (name: string): boolean => largest(gradients[`${name}.0.kernel`]!) > 0;
    expect(learns("level1.task0.expert0")).toBe(true);
    expect(learns("level1.task1.expert0")).toBe(false);
    expect(learns("level1.task1.expert1")).toBe(false);
    expect(learns("level1.shared.expert0")).toBe(true);
    expect(learns("level0.task1.expert0")).toBe(true);
    expect(largest(gradients["level1.task1.gate.kernel"]!)).toBe(0);
  });

  it("never meet another task's when none is shared", () => {
    const trial = setUp(ple, { config: { ...config, sharedExperts: 0 } });
    const rows = makeRows(trial, 4);
    const foreign = Object.entries(trial.params).map(([name, value]) => [
      name,
      name.includes(".task1.") ? tf.add(value, 1) : value,
    ]);
    const [before, after] = [trial, { ...trial, params: Object.fromEntries(foreign) as Params }].map((at) =>
      rowOutputs(at, rows).map((row) => row.slice(0, 6)),
    );
    expect(after).toEqual(before);
  });

  it("that are shared may come in any order, if their columns in every gate move with them", () => {
    const trial = setUp(ple, { config });
    const order = [2, 0, 1];
    const columns = (own: number): number[] => [...Array(own).keys(), ...order.map((k) => own + k)];
    const params = Object.fromEntries(
      Object.entries(trial.params).map(([name, value]) => {
        const shared = /^(level\d\.shared\.expert)(\d)(.*)/.exec(name);
        if (shared) return [name, trial.params[`${shared[1]}${order[Number(shared[2])]}${shared[3]}`]!];
        if (!name.includes(".gate.")) return [name, value];
        const specific = name.includes(".shared.gate.") ? 4 : 2; // two tasks' own experts, or one's
        return [name, tf.gather(value, columns(specific), value.rank - 1)];
      }),
    );
    const rows = makeRows(trial, 4);
    expectClose(rowOutputs({ ...trial, params }, rows), rowOutputs(trial, rows));
  });

  it("are each picked by a logit of +50: own ones first, then shared ones", () => {
    const trial = setUp(ple, { config: { levels: [[6]], specificExperts: 2, sharedExperts: 1 } });
    const rows = makeRows(trial, 4);
    const { features } = toBatch(trial, rows);
    ["task1.expert0", "task1.expert1", "shared.expert0"].forEach((expert, k) => {
      const logits = [0, 1, 2].map((column) => (column === k ? 50 : 0));
      const params: Params = { ...trial.params, "level0.task1.gate.bias": tf.tensor1d(logits) };
      const kernel = params[`level0.${expert}.0.kernel`] as tf.Tensor2D;
      const alone = tf.relu(tf.add(tf.matMul(features, kernel), params[`level0.${expert}.0.bias`]!)) as tf.Tensor2D;
      expectClose(
        rowOutputs({ ...trial, params }, rows).map((row) => row.slice(6)),
        alone.arraySync(),
        expert,
      );
    });
  });
});

describe("ple's gates", () => {
  beforeAll(useReferenceBackend);

  it("start uniform", () => {
    const { params } = setUp(ple, { config, spread: 0 });
    const gates = Object.keys(params).filter((name) => name.includes(".gate."));
    expect(gates.map((name) => largest(params[name]!))).toEqual(gates.map(() => 0));
  });

  it("of the shared path exist between levels only", () => {
    const { backbone } = setUp(ple, { config: { ...config, levels: [[8], [8], [6]] } });
    const shared = Object.keys(backbone.params).filter((name) => name.endsWith(".shared.gate.kernel"));
    expect(shared).toEqual(["level0.shared.gate.kernel", "level1.shared.gate.kernel"]);
  });

  it("of a task weigh its own and the shared experts, that of the shared path all experts", () => {
    const { params } = setUp(ple, { config, sizes: { tasks: 4 } }).backbone;
    expect(params["level0.task3.gate.kernel"]!.shape).toEqual([12, 2 + 3]);
    expect(params["level0.shared.gate.kernel"]!.shape).toEqual([12, 4 * 2 + 3]);
  });
});

describe("ple's size", () => {
  it("is (T·k_s + k_c) experts per level and the gates over them", () => {
    const { backbone } = setUp(ple, { config, sizes: { tasks: 2 } });
    const level = (inDim: number, width: number): number =>
      (2 * 2 + 3) * (inDim * width + width) + 2 * (inDim + 1) * (2 + 3);
    expect(parameterCount(backbone)).toBe(level(12, 8) + (12 + 1) * (2 * 2 + 3) + level(8, 6));
  });
});
