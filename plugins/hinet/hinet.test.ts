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
  readGolden,
  type Row,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import hinet from "./index.ts";

const config = {
  subExperts: 2,
  subLayers: [6, 4],
  scenarioDim: 3,
  specificExperts: 1,
  sharedExperts: 1,
  taskLayers: [5],
};

for (const subject of subjects) describeBackbone(hinet, subject);

describe("hinet agrees with the golden vectors", () => {
  beforeAll(useReferenceBackend);
  const golden = readGolden<GoldenConfig, Record<Attention, GoldenExpected>>(
    new URL("golden/hinet.json", import.meta.url),
  );
  const { S, T, D0, sub_experts, sub_dims, scenario_emb, cgc } = golden.config;

  for (const attention of ["others", "mask_after_softmax"] as const)
    it(`with the attention ${attention}`, () => {
      const trial = setUp(hinet, {
        config: {
          subExperts: sub_experts,
          subLayers: sub_dims,
          scenarioDim: scenario_emb,
          attention,
          specificExperts: cgc.specific,
          sharedExperts: cgc.shared,
          taskLayers: cgc.dims,
        },
        sizes: { fields: D0, embeddingDim: 1, scenarios: S, tasks: T },
      });
      const rename = (name: string): string =>
        layerName(name)
          .replace("scenario_embedding", "scenarioEmbedding")
          .replace(/^san\.gate/, "attention");
      const params = goldenParams(golden, rename);
      const expected = golden.expected[attention];
      expectGolden(trial, params, golden.inputs, expected.out);

      const rows = golden.inputs.x.map((features, b): Row => ({ features, scenario: golden.inputs.s![b]! }));
      const { statistics } = run({ ...trial, params }, toBatch(trial, rows));
      expectClose(statistics["attention"]!.arraySync(), expected.san_weights, "attention");
      expected.task_gates?.forEach((gate, t) =>
        expectClose(statistics[`task${t}.gate`]!.arraySync(), gate, `gate of task ${t}`),
      );
    });
});

type Attention = "others" | "mask_after_softmax";

interface GoldenConfig {
  readonly S: number;
  readonly T: number;
  readonly D0: number;
  readonly sub_experts: number;
  readonly sub_dims: readonly number[];
  readonly scenario_emb: number;
  readonly cgc: { readonly specific: number; readonly shared: number; readonly dims: readonly number[] };
}

interface GoldenExpected {
  readonly san_weights: readonly (readonly number[])[];
  readonly task_gates?: readonly (readonly (readonly number[])[])[];
  readonly out: readonly (readonly (readonly number[])[])[];
}

describe("hinet's attention to other scenarios", () => {
  beforeAll(useReferenceBackend);

  it("is a softmax over the others, or one over all without the own part", () => {
    // Scenario experts give 1, 10 and 5; the row is of scenario 1; the only task expert passes the attention's part on.
    const passedOn = (attention: Attention): number => {
      const trial = setUp(hinet, {
        config: { attention, subExperts: 1, subLayers: [1], specificExperts: 1, sharedExperts: 0, taskLayers: [1] },
        sizes: { tasks: 1 },
      });
      const zero = Object.fromEntries(Object.entries(trial.params).map(([name, x]) => [name, tf.zerosLike(x)]));
      const params: Params = {
        ...zero,
        "scenario0.sub0.0.bias": tf.tensor1d([1]),
        "scenario1.sub0.0.bias": tf.tensor1d([10]),
        "scenario2.sub0.0.bias": tf.tensor1d([5]),
        "attention.bias": tf.tensor1d([0, 5, Math.log(3)]),
        "cgc.task0.expert0.0.kernel": tf.tensor2d([[0], [0], [1]]),
      };
      return rowOutputs({ ...trial, params }, [makeRows(trial, 2)[1]!])[0]![0]!;
    };
    expect(passedOn("others")).toBeCloseTo(0.25 * 1 + 0.75 * 5, 5);
    expect(passedOn("mask_after_softmax")).toBeCloseTo(0.104978, 5);
  });

  it("gives no weight to the own scenario, and in all 1, or less when masked after the softmax", () => {
    for (const attention of ["others", "mask_after_softmax"]) {
      const trial = setUp(hinet, { config: { ...config, attention } });
      const rows = makeRows(trial, 3);
      const weights = run(trial, toBatch(trial, rows)).statistics["attention"]!.arraySync();
      rows.forEach(({ scenario }, b) => {
        expect(weights[b]![scenario]).toBe(0);
        const sum = weights[b]!.reduce((a, w) => a + w, 0);
        if (attention === "others") expect(sum).toBeCloseTo(1, 6);
        else expect(sum).toBeLessThan(1);
      });
    }
  });

  it("starts alike for all others", () => {
    const trial = setUp(hinet, { config, spread: 0 });
    const weights = run(trial, toBatch(trial, makeRows(trial, 3))).statistics["attention"]!.arraySync();
    const half = 1 / 2;
    expect(weights).toEqual([
      [0, half, half],
      [half, 0, half],
      [half, half, 0],
    ]);
  });

  it("brings exactly nothing where there is one scenario alone", () => {
    const trial = setUp(hinet, { config, sizes: { scenarios: 1 } });
    const rows = makeRows(trial, 3);
    const before = rowOutputs(trial, rows);
    expect(rowOutputs(withoutOthers(trial), rows)).toEqual(before);
    expect(before.flat().every(Number.isFinite)).toBe(true);
  });

  it("is that of the row's scenario: another scenario's embedding does not matter", () => {
    const trial = setUp(hinet, { config });
    const rows = makeRows(trial, 6);
    const embedding = tf.add(trial.params["scenarioEmbedding"]!, [[0], [2], [0]]);
    const after = rowOutputs({ ...trial, params: { ...trial.params, scenarioEmbedding: embedding } }, rows);
    rowOutputs(trial, rows).forEach((row, b) => {
      if (rows[b]!.scenario === 1) expect(after[b]).not.toEqual(row);
      else expect(after[b]).toEqual(row);
    });
  });

  it("is the only way by which a scenario's experts learn from rows of others", () => {
    const trial = setUp(hinet, { config });
    const batch = toBatch(
      trial,
      makeRows(trial, 8).map((row) => ({ ...row, scenario: 0 })),
    );
    const learns = (at: Trial): boolean[] => {
      const { gradients } = gradientsOf(at, batch);
      return ["shared", "scenario0", "scenario1"].map((group) => largest(gradients[`${group}.sub0.0.kernel`]!) > 0);
    };
    expect(learns(trial)).toEqual([true, true, true]);
    expect(learns(withoutOthers(trial))).toEqual([true, true, false]);
  });
});

describe("hinet's tasks", () => {
  beforeAll(useReferenceBackend);

  it("may be renamed together with their experts and gates", () => {
    const trial = setUp(hinet, { config });
    const swapped = Object.keys(trial.params).map((name) => [
      name,
      trial.params[name.replace(/task(\d)/, (_, t) => `task${1 - Number(t)}`)]!,
    ]);
    const rows = makeRows(trial, 4);
    const H = trial.backbone.outputDim;
    expectClose(
      rowOutputs({ ...trial, params: Object.fromEntries(swapped) as Params }, rows),
      rowOutputs(trial, rows).map((row) => [...row.slice(H), ...row.slice(0, H)]),
    );
  });

  it("with experts per scenario and task are the same as per task when all scenarios have equal ones", () => {
    const byTask = setUp(hinet, { config });
    const byScenario = setUp(hinet, { config: { ...config, expertsBy: "scenario_task" } });
    const params = Object.keys(byScenario.params).map((name) => [
      name,
      byTask.params[name.replace(/(task\d)\.scenario\d/, "$1")]!,
    ]);
    const rows = makeRows(byTask, 6);
    expectClose(
      rowOutputs({ ...byScenario, params: Object.fromEntries(params) as Params }, rows),
      rowOutputs(byTask, rows),
    );
  });

  it("weigh their own experts and the shared ones, in all 1", () => {
    const trial = setUp(hinet, { config: { ...config, expertsBy: "scenario_task" } });
    const { statistics } = run(trial, toBatch(trial, makeRows(trial, 4)));
    for (const row of statistics["task1.gate"]!.arraySync()) {
      expect(row).toHaveLength(2);
      expect(row[0]! + row[1]!).toBeCloseTo(1, 6);
    }
  });
});

describe("hinet to which a scenario is added", () => {
  beforeAll(useReferenceBackend);

  it("gives the rows of the old scenarios what it gave", () => {
    for (const expertsBy of ["task", "scenario_task"]) {
      const old = setUp(hinet, { config: { ...config, expertsBy } });
      const founders = { scenarios: 3, tasks: 2 };
      const grown = setUp(hinet, { config: { ...config, expertsBy }, sizes: { scenarios: 4, founders }, seed: 2 });
      const embedding = tf.concat([
        old.params["scenarioEmbedding"]!,
        tf.slice(grown.params["scenarioEmbedding"]!, [3, 0]),
      ]);
      const params: Params = { ...grown.params, ...old.params, scenarioEmbedding: embedding };
      const rows = makeRows(old, 6);
      expect(rowOutputs({ ...grown, params }, rows)).toEqual(rowOutputs(old, rows));
    }
  });
});

describe("hinet's size", () => {
  it("is (S+1) experts of K sub-experts and a gate, the attention, and the tasks' experts and gates", () => {
    const { backbone } = setUp(hinet, { config, sizes: { scenarios: 3, tasks: 2 } });
    const integrated = 2 * (12 * 6 + 6 + 6 * 4 + 4) + (12 + 1) * 2;
    const attention = 3 * 3 + (3 + 1) * 3;
    const cgc = (2 * 1 + 1) * (12 * 5 + 5) + 2 * (12 + 1) * (1 + 1);
    expect(parameterCount(backbone)).toBe((3 + 1) * integrated + attention + cgc);
  });
});

/** The same with task experts and gates that do not read the attention's part of C, its last third. */
function withoutOthers(trial: Trial): Trial {
  const params = Object.entries(trial.params).map(([name, value]) => {
    if (!/^cgc.*(expert\d\.0|gate)\.kernel$/.test(name)) return [name, value];
    const read = tf.slice(value, [0, 0], [8, -1]);
    return [name, tf.concat([read, tf.zeros([4, value.shape[1]!])], 0)];
  });
  return { ...trial, params: Object.fromEntries(params) as Params };
}
