import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Params } from "#plugin";
import {
  expectClose,
  goldenParams,
  gradientsOf,
  makeRows,
  probeLoss,
  readGolden,
  type Row,
  rowOutputs,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import star from "./index.ts";
import { partitionedNorm } from "./partitionedNorm.ts";

const config = { layers: [8, 6], auxiliaryLayers: [5], scenarioDim: 3 };

describe("star's partitioned normalisation agrees with the golden vectors", () => {
  const golden = readGolden<GoldenConfig, GoldenExpected>(new URL("golden/star.json", import.meta.url));
  const { S, D0 } = golden.config;
  const { train, running_mean_after, running_var_after, eval_after_one_train_step } = golden.expected;
  const rows = golden.inputs.x.map((features, b): Row => ({ features, scenario: golden.inputs.s![b]! }));
  const tolerance = (expected: number): number => 2e-6 + 1e-5 * Math.abs(expected);
  let trial: Trial;
  beforeAll(async () => {
    await useReferenceBackend();
    const given = goldenParams(golden, (name) => name);
    const ofScenarios = (part: string): tf.Tensor =>
      tf.stack(Array.from({ length: S }, (_, s) => given[`pn.${part}.s${s}`]!));
    trial = {
      ...setUp(star, { config, sizes: { fields: D0, embeddingDim: 1, scenarios: S } }),
      params: {
        "norm.gamma": given["pn.gamma"]!,
        "norm.beta": given["pn.beta"]!,
        "norm.scenario.gamma": ofScenarios("gamma"),
        "norm.scenario.beta": ofScenarios("beta"),
      },
      buffers: { "norm.mean": tf.zeros([S, D0]), "norm.variance": tf.ones([S, D0]), "norm.seen": tf.ones([S, 1]) },
    };
  });

  it("in a training step", () => {
    const { output, mean, variance } = normalised(trial, rows, true);
    expectClose(output.arraySync(), train.pn, "normalised input", tolerance);
    expectClose(mean, running_mean_after, "running means", tolerance);
    expectClose(variance, running_var_after, "running variances", tolerance);
  });

  it("in evaluation after it", () => {
    const buffers = { "norm.mean": tf.tensor(running_mean_after), "norm.variance": tf.tensor(running_var_after) };
    const { output } = normalised({ ...trial, buffers }, rows, false);
    expectClose(output.arraySync(), eval_after_one_train_step.pn, "normalised input", tolerance);
  });
});

interface GoldenConfig {
  readonly S: number;
  readonly D0: number;
}

interface GoldenExpected {
  readonly train: { readonly pn: number[][] };
  readonly running_mean_after: number[][];
  readonly running_var_after: number[][];
  readonly eval_after_one_train_step: { readonly pn: number[][] };
}

describe("star's partitioned normalisation", () => {
  beforeAll(useReferenceBackend);

  it("is over the rows of the scenario: by hand, one feature", () => {
    const p: Params = {
      "norm.gamma": tf.tensor1d([2]),
      "norm.scenario.gamma": tf.tensor2d([[0.5], [1]]),
      "norm.beta": tf.tensor1d([0.1]),
      "norm.scenario.beta": tf.tensor2d([[0.2], [0]]),
      "norm.mean": tf.zeros([2, 1]),
      "norm.variance": tf.ones([2, 1]),
      "norm.seen": tf.ones([2, 1]),
    };
    const x = tf.tensor2d([[1], [3]]);
    const ofFirst = tf.tensor2d([
      [1, 0],
      [1, 0],
    ]);
    const mode = { training: true, dropout: same, addNoise: same, updateBuffer: () => {} };
    expectClose(partitionedNorm(p, x, ofFirst, mode, 0.9).arraySync(), [[-0.7], [1.3]]);
  });

  it("gives the rows of a scenario the mean β + β_s and the deviation γ·γ_s", () => {
    const trial = setUp(star, { config });
    const rows = makeRows(trial, 12);
    const output = normalised(trial, rows, true).output.arraySync();
    const [gamma, beta, ownGamma, ownBeta] = ["gamma", "beta", "scenario.gamma", "scenario.beta"].map(
      (name) => trial.params[`norm.${name}`]!,
    );
    const [expectedMean, expectedDeviation] = [tf.add(beta!, ownBeta!), tf.abs(tf.mul(gamma!, ownGamma!))];
    const moments = [0, 1, 2].map((s) => tf.moments(tf.tensor2d(output.filter((_, b) => rows[b]!.scenario === s)), 0));
    const table = (x: tf.Tensor): number[][] => x.arraySync() as number[][];
    expectClose(table(tf.stack(moments.map(({ mean }) => mean))), table(expectedMean));
    expectClose(table(tf.sqrt(tf.stack(moments.map((m) => m.variance)))), table(expectedDeviation), "deviation", 1e-3);
  });

  it("gives a row the same output in training whatever the rows of other scenarios are", () => {
    const trial = setUp(star, { config });
    const rows = makeRows(trial, 9);
    const others = makeRows(trial, 9, 99);
    const before = rowOutputs(trial, rows, { training: true });
    const isFirst = ({ scenario }: Row): boolean => scenario === 0;
    const changed = rows.map((row, b): Row => (isFirst(row) ? row : { ...others[b]!, scenario: 1 + ((b >> 1) % 2) }));
    const after = rowOutputs(trial, changed, { training: true });
    const ofFirst = (outputs: number[][]): number[][] => outputs.filter((_, b) => isFirst(rows[b]!));
    expectClose(ofFirst(after), ofFirst(before), "rows of scenario 0", 1e-6);
  });

  it("keeps the moments of a scenario that has no row or one row, and normalises that row with them", () => {
    const trial = setUp(star, { config });
    const rows = makeRows(trial, 6).map((row, b): Row => ({ ...row, scenario: b === 0 ? 1 : 0 })); // 5, 1 and no row
    const { mean, variance, output } = normalised(trial, rows, true);
    const before = { mean: tables(trial.buffers["norm.mean"]!), variance: tables(trial.buffers["norm.variance"]!) };
    expect(mean.slice(1)).toEqual(before.mean.slice(1));
    expect(variance.slice(1)).toEqual(before.variance.slice(1));
    expect(mean[0]).not.toEqual(before.mean[0]);
    expectClose([output.arraySync()[0]!], [normalised(trial, rows, false).output.arraySync()[0]!]);
  });

  it("takes the first moments of a scenario whole, and moves them from then on", () => {
    const [S, D0] = [3, 12];
    const fresh = { "norm.mean": tf.zeros([S, D0]), "norm.variance": tf.ones([S, D0]), "norm.seen": tf.zeros([S, 1]) };
    const trial = { ...setUp(star, { config }), buffers: fresh };
    const [rows, others] = [makeRows(trial, 12), makeRows(trial, 12, 99)];
    const first = normalised(trial, rows, true);
    const after = { ...trial, buffers: first.buffers };
    expectClose(normalised(after, rows, false).output.arraySync(), first.output.arraySync(), "evaluation after a step");
    const [theirs, second] = [normalised(trial, others, true), normalised(after, others, true)];
    const moved = first.mean.map((own, s) => own.map((m, i) => 0.9 * m + 0.1 * theirs.mean[s]![i]!));
    expectClose(second.mean, moved, "means after two steps");
  });

  it("has the gradients that finite differences give in training too, through the moments", () => {
    const trial = setUp(star, { config });
    const batch = toBatch(trial, makeRows(trial, 9));
    const lossOf = (at: Trial, b: typeof batch) => probeLoss(at, b, { training: true });
    const { gradients } = gradientsOf(trial, batch, lossOf);
    const line = tf.sin(tf.mul(tf.range(0, batch.features.size), 1.7)).reshape(batch.features.shape);
    const direction = tf.div(line, tf.norm(line));
    const slope = tf.sum(tf.mul(gradients["features"]!, direction)).arraySync() as number;
    const differences = [4e-3, 1e-3].map((step) => {
      const at = (by: number): number =>
        lossOf(trial, { ...batch, features: tf.add(batch.features, tf.mul(direction, by)) }).arraySync();
      return Math.abs((at(step) - at(-step)) / (2 * step) - slope);
    });
    expect(Math.min(...differences)).toBeLessThan(2e-3 + 0.01 * Math.abs(slope));
  });
});

const same = (_: string, x: tf.Tensor2D): tf.Tensor2D => x;
const tables = (x: tf.Tensor): number[][] => x.arraySync() as number[][];

/** The normalised input, and the moments and all buffers after it. */
function normalised(trial: Trial, rows: readonly Row[], training: boolean) {
  const written: Record<string, tf.Tensor> = { ...trial.buffers };
  const { features, scenarioOneHot } = toBatch(trial, rows);
  const mode = {
    training,
    dropout: same,
    addNoise: same,
    updateBuffer(name: string, value: tf.Tensor): void {
      written[name] = value;
    },
  };
  const output = partitionedNorm({ ...trial.params, ...trial.buffers }, features, scenarioOneHot, mode, 0.9);
  return { output, mean: tables(written["norm.mean"]!), variance: tables(written["norm.variance"]!), buffers: written };
}
