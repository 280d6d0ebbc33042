import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { mlp, type Params } from "#plugin";
import {
  describeBackbone,
  expectClose,
  gradientsOf,
  largest,
  makeRows,
  numbersFrom,
  parameterCount,
  type Row,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import { gates } from "./gate.ts";
import pepnet from "./index.ts";

const config = { layers: [8, 6], scenarioDim: 3, embeddingGateWidth: 5, towerGateWidth: 4 };
const withPriors = { ...config, priors: ["field2", "field0"], scenarioPriors: ["field1"] };

for (const subject of subjects) describeBackbone(pepnet, subject);

describe("pepnet computes", () => {
  beforeAll(useReferenceBackend);

  it("by hand: a logit of ln 3 scales by 1.5, one of 0 by 1", () => {
    const trial = setUp(pepnet, {
      config: { layers: [1] },
      sizes: { fields: 1, embeddingDim: 1, tasks: 2 },
      spread: 0,
    });
    const params: Params = {
      ...trial.params,
      "embedding.gate.out.bias": tf.fill([1], Math.log(3)), // x' = 1.5·2
      "task0.0.kernel": tf.ones([1, 1]),
      "task1.0.kernel": tf.ones([1, 1]),
      "task1.0.gate.out.bias": tf.fill([1], Math.log(3)),
    };
    expectClose(rowOutputs({ ...trial, params }, [{ features: [2], scenario: 0 }]), [[3, 4.5]], "rep_1, rep_2", 1e-6);
  });

  for (const [kind, given] of Object.entries({ "no priors": config, priors: withPriors }))
    for (const placement of ["output", "input"])
      it(`what plain loops compute, with ${kind}, gates at the ${placement} of layers`, () => {
        const full = pepnet.config.parse({ ...given, placement });
        const trial = setUp(pepnet, { config: full });
        const rows = makeRows(trial, 6);
        expectClose(
          rowOutputs(trial, rows),
          rows.map((row) => reference(trial, full, row)),
        );
      });

  it("a plain tower for every task before training", () => {
    const trial = setUp(pepnet, { config: withPriors, spread: 0 });
    const rows = makeRows(trial, 5);
    const { features } = toBatch(trial, rows);
    const mode = { training: false, dropout: same, addNoise: same, updateBuffer: () => {} };
    const towers = [0, 1].map((t) => mlp(`task${t}`, 12, [8, 6]).forward(trial.params, features, mode));
    expectClose(rowOutputs(trial, rows), tf.concat(towers, 1).arraySync() as number[][]);
  });

  it("zeros when every gate is shut", () => {
    const trial = setUp(pepnet, { config });
    const shut = Object.entries(trial.params).map(([name, value]): [string, tf.Tensor] => [
      name,
      name.endsWith("gate.out.bias") ? tf.fill(value.shape, -200) : value,
    ]);
    const outputs = rowOutputs({ ...trial, params: Object.fromEntries(shut) }, makeRows(trial, 4));
    expect(outputs.flat().every((value) => value === 0)).toBe(true);
  });
});

describe("pepnet's gates", () => {
  beforeAll(useReferenceBackend);

  it("lie between 0 and 2", () => {
    const trial = setUp(pepnet, { config, spread: 1 });
    const u = tf.randomUniform<tf.Rank.R2>([200, 15], -3, 3, "float32", 1);
    const values = gates(trial.params, ["task0.0.gate", "task1.1.gate"], u).flatMap((gate) => [...gate.dataSync()]);
    expect(Math.min(...values)).toBeGreaterThan(0);
    expect(Math.max(...values)).toBeLessThan(2);
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(1);
  });

  for (const [kind, given] of Object.entries({ "no priors": config, priors: withPriors }))
    it(`teach priors, not what else they read: the features' gradient with ${kind} is that with the rest held`, () => {
      const full = pepnet.config.parse(given);
      const trial = setUp(pepnet, { config: full });
      const [row] = makeRows(trial, 1) as [Row];
      const weights = Array.from({ length: 12 }, numbersFrom(3));
      const { gradients } = gradientsOf(trial, toBatch(trial, [row]), (at, batch) => {
        const side = tf.concat([...run(at, batch).representations], 1);
        return tf.sum(tf.mul(side, tf.tensor2d([weights])));
      });
      const lossAt = (features: number[]): number =>
        reference(trial, full, { ...row, features }, row).reduce((sum, value, j) => sum + value * weights[j]!, 0);
      const h = 1e-5;
      const moved = (i: number, by: number): number[] => row.features.map((x, k) => (k === i ? x + by : x));
      const slopes = row.features.map((_, i) => (lossAt(moved(i, h)) - lossAt(moved(i, -h))) / (2 * h));
      expectClose(gradients["features"]!.arraySync() as number[][], [slopes], "gradient", 1e-5);
    });

  it("teach a scenario's vector from its own rows only", () => {
    const trial = setUp(pepnet, { config });
    const rows = makeRows(trial, 9).map((row) => ({ ...row, scenario: row.scenario === 1 ? 0 : row.scenario }));
    const { gradients } = gradientsOf(trial, toBatch(trial, rows));
    const perScenario = tf.split(gradients["scenario"]!, 3).map(largest);
    expect(perScenario.map((gradient) => gradient > 0)).toEqual([true, false, true]);
  });
});

describe("pepnet's configuration", () => {
  it("refuses a column that is none", () => {
    for (const member of ["priors", "scenarioPriors"])
      expect(() => setUp(pepnet, { config: { [member]: ["field0", "user"] } })).toThrow(
        `config.${member}: expected names of field0, field1, field2, got "user"`,
      );
  });
});

describe("pepnet with a scenario and a task added later", () => {
  beforeAll(useReferenceBackend);

  it("has one more vector and tower, and gives the same for what it had", () => {
    const before = setUp(pepnet, { config });
    const after = setUp(pepnet, { config, sizes: { scenarios: 4, tasks: 3, founders: before.sizes }, seed: 2 });
    const longer = tf.concat([before.params["scenario"]!, tf.slice(after.params["scenario"]!, [3, 0], [1, 3])]);
    const grown = { ...after, params: { ...after.params, ...before.params, scenario: longer } };
    const rows = makeRows(before, 6);
    expectClose(
      rowOutputs(grown, rows).map((row) => row.slice(0, 12)),
      rowOutputs(before, rows),
      "the first tasks",
      1e-6,
    );
  });
});

describe("pepnet's size", () => {
  const gate = (inDim: number, hidden: number, outDim: number): number =>
    inDim * hidden + hidden + hidden * outDim + outDim;
  const count = (given: object): number => parameterCount(setUp(pepnet, { config: given }).backbone);
  const tower = 12 * 8 + 8 + 8 * 6 + 6;

  it("is the scenarios' vectors, their gate, and for each task a tower with a gate per layer", () => {
    expect(count(config)).toBe(3 * 3 + gate(3 + 12, 5, 12) + 2 * (tower + gate(3 + 12, 4, 8) + gate(3 + 12, 4, 6)));
  });

  it("has gates as wide as what they scale, and as deep as what they read", () => {
    expect(count({ ...withPriors, placement: "input" })).toBe(
      3 * 3 + gate(3 + 4 + 12, 5, 12) + 2 * (tower + gate(8 + 12, 4, 12) + gate(8 + 12, 4, 8)),
    );
  });
});

const same = (_: string, x: tf.Tensor2D): tf.Tensor2D => x;

/**
 * The representations of one row side by side, in float64. What the gates read beside their priors is taken from `held`, so
 * that a difference quotient sees what gradients see.
 */
function reference(
  { params, sizes }: Trial,
  { layers, priors, scenarioPriors, placement }: ReturnType<typeof pepnet.config.parse>,
  row: Row,
  held: Row = row,
): number[] {
  const { embeddingDim: e, columns, tasks } = sizes;
  const affine = (x: readonly number[], name: string): number[] => {
    const w = params[`${name}.kernel`]!.arraySync() as number[][];
    const b = params[`${name}.bias`]!.arraySync() as number[];
    return b.map((start, j) => x.reduce((sum, value, i) => sum + value * w[i]![j]!, start));
  };
  const relu = (x: number[]): number[] => x.map((value) => Math.max(0, value));
  const gate = (u: readonly number[], name: string): number[] =>
    affine(relu(affine(u, `${name}.hidden`)), `${name}.out`).map((z) => 2 / (1 + Math.exp(-z)));
  const scaled = (by: readonly number[], x: readonly number[]): number[] => x.map((value, i) => value * by[i]!);
  const scenario = (params["scenario"]!.arraySync() as number[][])[row.scenario]!;
  const fieldsOf = (names: readonly string[], from: Row): number[] =>
    names.flatMap((name) => from.features.slice(columns.indexOf(name) * e, (columns.indexOf(name) + 1) * e));
  const embedded = (from: Row): number[] =>
    scaled(gate([...scenario, ...fieldsOf(scenarioPriors, from), ...held.features], "embedding.gate"), from.features);

  const prior = priors.length > 0 ? fieldsOf(priors, row) : scenario;
  const u = [...prior, ...embedded(held)];
  return Array.from({ length: tasks }, (_, t) =>
    layers.reduce((h, _width, l) => {
      const delta = gate(u, `task${t}.${l}.gate`);
      return placement === "output"
        ? scaled(delta, relu(affine(h, `task${t}.${l}`)))
        : relu(affine(scaled(delta, h), `task${t}.${l}`));
    }, embedded(row)),
  ).flat();
}
