import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { mlp } from "#plugin";
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
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import mmoe from "./index.ts";

const config = { experts: 3, layers: [8, 6] };

for (const subject of subjects) describeBackbone(mmoe, subject);

describe("mmoe agrees with the golden vectors", () => {
  beforeAll(useReferenceBackend);

  for (const file of ["mmoe.json", "mmoe_gatehidden.json"])
    it(file, () => {
      const golden = readGolden<GoldenConfig, { out: number[][][] }>(new URL(`golden/${file}`, import.meta.url));
      const { D0, tasks, experts, expert_dims: layers, gate_hidden: gateLayers } = golden.config;
      const trial = setUp(mmoe, {
        config: { experts, layers, gateLayers },
        sizes: { fields: D0, embeddingDim: 1, tasks },
      });
      const rename = (name: string): string => layerName(name).replace(/^gate(\d+)/, "task$1.gate");
      expectGolden(trial, goldenParams(golden, rename), golden.inputs, golden.expected.out);
    });
});

interface GoldenConfig {
  readonly D0: number;
  readonly tasks: number;
  readonly experts: number;
  readonly expert_dims: readonly number[];
  readonly gate_hidden: readonly number[];
}

describe("mmoe mixes experts", () => {
  beforeAll(useReferenceBackend);

  it("uniformly before training, for every task alike", () => {
    const trial = setUp(mmoe, { config, spread: 0 });
    const rows = makeRows(trial, 4);
    const experts = expertOutputs(trial, rows);
    const mean = rows.map((_, b) => experts[0]![b]!.map((_, j) => experts.reduce((sum, e) => sum + e[b]![j]!, 0) / 3));
    expectClose(
      rowOutputs(trial, rows),
      mean.map((row) => [...row, ...row]),
    );
  });

  it("independently initialised: no two experts start with the same weights", () => {
    const { params } = setUp(mmoe, { config, spread: 0 });
    const kernels = [0, 1, 2].map((k) => params[`expert${k}.0.kernel`]!.dataSync().join());
    expect(new Set(kernels).size).toBe(3);
  });

  it("by the gate of the task: a logit of +50 picks that expert", () => {
    const trial = setUp(mmoe, { config });
    const rows = makeRows(trial, 4);
    const params = {
      ...trial.params,
      "task0.gate.out.bias": tf.tensor1d([0, 50, 0]),
      "task1.gate.out.bias": tf.tensor1d([0, 0, 50]),
    };
    const experts = expertOutputs(trial, rows);
    expectClose(
      rowOutputs({ ...trial, params }, rows),
      rows.map((_, b) => [...experts[1]![b]!, ...experts[2]![b]!]),
    );
  });

  it("into values between the smallest and the largest of the experts", () => {
    const trial = setUp(mmoe, { config, sizes: { tasks: 1 } });
    const rows = makeRows(trial, 8);
    const experts = expertOutputs(trial, rows);
    rowOutputs(trial, rows).forEach((row, b) =>
      row.forEach((value, j) => {
        const candidates = experts.map((expert) => expert[b]![j]!);
        expect(value).toBeGreaterThanOrEqual(Math.min(...candidates) - 1e-6);
        expect(value).toBeLessThanOrEqual(Math.max(...candidates) + 1e-6);
      }),
    );
  });

  it("without a trace of the gate when all experts are equal", () => {
    const trial = setUp(mmoe, { config, sizes: { tasks: 1 } });
    const rows = makeRows(trial, 4);
    const copies = Object.entries(trial.params).map(([name]) => [
      name,
      trial.params[name.replace(/^expert\d/, "expert0")]!,
    ]);
    expectClose(rowOutputs({ ...trial, params: Object.fromEntries(copies) }, rows), expertOutputs(trial, rows)[0]!);
  });

  it("in any order: experts permuted with their gate columns give the same output", () => {
    const trial = setUp(mmoe, { config: { ...config, gateLayers: [5] } });
    const order = [2, 0, 1];
    const rows = makeRows(trial, 4);
    const params = Object.fromEntries(
      Object.entries(trial.params).map(([name, value]) => {
        const expert = /^expert(\d)(.*)/.exec(name);
        if (expert) return [name, trial.params[`expert${order[Number(expert[1])]}${expert[2]}`]!];
        return [name, name.includes(".gate.out.") ? tf.gather(value, order, value.rank - 1) : value];
      }),
    );
    expectClose(rowOutputs({ ...trial, params }, rows), rowOutputs(trial, rows));
  });
});

describe("mmoe's gates", () => {
  beforeAll(useReferenceBackend);

  it("learn from their own task only", () => {
    const trial = setUp(mmoe, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 8)), (at, batch) => {
      const { representations } = run(at, batch);
      return probe([representations[0]!, tf.mul(representations[1]!, 0)]);
    });
    expect(largest(gradients["task0.gate.out.kernel"]!)).toBeGreaterThan(0);
    expect(largest(gradients["task1.gate.out.kernel"]!)).toBe(0);
  });

  it("per scenario learn from the rows of their own scenario only", () => {
    const trial = setUp(mmoe, { config: { ...config, gateBy: "scenario_task" } });
    const rows = makeRows(trial, 8).map((row) => ({ ...row, scenario: row.scenario === 1 ? 0 : row.scenario }));
    const { gradients } = gradientsOf(trial, toBatch(trial, rows));
    const perScenario = tf.split(gradients["task0.gate.out.kernel"]!, 3, 1).map(largest);
    expect(perScenario.map((gradient) => gradient > 0)).toEqual([true, false, true]);
  });

  it("per scenario are the same as one per task when all scenarios have equal gates", () => {
    const sizes = { scenarios: 3 };
    const byTask = setUp(mmoe, { config, sizes });
    const byScenario = setUp(mmoe, { config: { ...config, gateBy: "scenario_task" }, sizes });
    const rows = makeRows(byTask, 6);
    const params = Object.fromEntries(
      Object.entries(byTask.params).map(([name, value]) => [
        name,
        name.includes(".gate.out.") ? tf.concat([value, value, value], value.rank - 1) : value,
      ]),
    );
    expectClose(rowOutputs({ ...byScenario, params }, rows), rowOutputs(byTask, rows));
  });
});

describe("mmoe with one expert", () => {
  it("trains, though its gate has nothing to choose", () => {
    const trial = setUp(mmoe, { config: { ...config, experts: 1 } });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 8)));
    expect(largest(gradients["expert0.0.kernel"]!)).toBeGreaterThan(0);
    expect(largest(gradients["task0.gate.out.kernel"]!)).toBe(0);
  });
});

describe("mmoe's size", () => {
  it("is K experts and a linear gate per task: K(w + Σd) + T(D·K + K)", () => {
    const { backbone } = setUp(mmoe, { config: { experts: 3, layers: [8, 6] }, sizes: { tasks: 2 } });
    expect(parameterCount(backbone)).toBe(3 * (12 * 8 + 8 * 6 + 8 + 6) + 2 * (12 * 3 + 3));
  });
});

/** Each expert alone: [expert][batch][H]. */
function expertOutputs(trial: Trial, rows: ReturnType<typeof makeRows>): number[][][] {
  const { features } = toBatch(trial, rows);
  const mode = {
    training: false,
    dropout: (_: string, x: tf.Tensor2D) => x,
    addNoise: (_: string, x: tf.Tensor2D) => x,
    updateBuffer: () => {},
  };
  return [0, 1, 2].map((k) =>
    mlp(`expert${k}`, trial.sizes.inputDim, [8, 6]).forward(trial.params, features, mode).arraySync(),
  );
}
