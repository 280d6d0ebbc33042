import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { mlp, type Params } from "#plugin";
import {
  describeBackbone,
  expectClose,
  expectGolden,
  goldenParams,
  gradientsOf,
  largest,
  makeRows,
  parameterCount,
  probeLoss,
  readGolden,
  type Row,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { scenarioAxis, subjects } from "./contract.ts";
import star from "./index.ts";

const config = { layers: [8, 6], auxiliaryLayers: [5], scenarioDim: 3 };
const plain = { ...config, partitionedNorm: false, auxiliaryNetwork: false };

for (const subject of subjects) describeBackbone(star, subject);

describe("star agrees with the golden vectors", () => {
  const golden = readGolden<GoldenConfig, GoldenExpected>(new URL("golden/star.json", import.meta.url));
  const { S, D0, T, dims, scenario_emb, aux_hidden, momentum } = golden.config;
  const { train, running_mean_after, running_var_after, eval_after_one_train_step } = golden.expected;
  const rows = golden.inputs.x.map((features, b): Row => ({ features, scenario: golden.inputs.s![b]! }));
  let trial: Trial;
  beforeAll(async () => {
    await useReferenceBackend();
    const fresh = setUp(star, {
      config: { layers: dims, auxiliaryLayers: aux_hidden, scenarioDim: scenario_emb, momentum },
      sizes: { fields: D0, embeddingDim: 1, scenarios: S, tasks: T },
    });
    const buffers = { "norm.mean": tf.zeros([S, D0]), "norm.variance": tf.ones([S, D0]), "norm.seen": tf.ones([S, 1]) };
    trial = { ...fresh, params: sideBySide(goldenParams(golden, rename), S), buffers };
  });

  it("in a training step", () => {
    expectClose(
      rowOutputs(trial, rows, { training: true }),
      rows.map((_, b) => [...train.rep[b]!, ...train.aux_logits[b]!]),
      "outputs",
      tolerance,
    );
  });

  it("in evaluation with those moments", () => {
    const after = {
      ...trial,
      buffers: { "norm.mean": tf.tensor(running_mean_after), "norm.variance": tf.tensor(running_var_after) },
    };
    const { rep, aux_logits } = eval_after_one_train_step;
    expectGolden(after, trial.params, golden.inputs, [rep, aux_logits]);
  });
});

describe("star's layers", () => {
  beforeAll(useReferenceBackend);

  it("are a plain network as long as every own kernel is one and every own bias zero", () => {
    const trial = setUp(star, { config: plain, spread: 0 });
    const rows = makeRows(trial, 5);
    const params = Object.fromEntries(Object.entries(trial.params).map(([name, x]) => [name.replace("star", "m"), x]));
    const mode = { training: false, dropout: same, addNoise: same, updateBuffer: () => {} };
    const trunk = mlp("m", trial.sizes.inputDim, [8, 6]).forward(params, toBatch(trial, rows).features, mode);
    expectClose(rowOutputs(trial, rows), trunk.arraySync());
  });

  it("are unchanged when a shared kernel is doubled and the own ones are halved", () => {
    const trial = setUp(star, { config: plain });
    const rows = makeRows(trial, 5);
    const params = {
      ...trial.params,
      "star.0.kernel": tf.mul(trial.params["star.0.kernel"]!, 2),
      "star.0.scenario.kernel": tf.div(trial.params["star.0.scenario.kernel"]!, 2),
    };
    expectClose(rowOutputs({ ...trial, params }, rows), rowOutputs(trial, rows));
  });

  it("agree with a slow reference, row by row: h = ReLU(h·(W ∘ W_s) + b + b_s)", () => {
    const trial = setUp(star, { config: plain });
    const rows = makeRows(trial, 5);
    expectClose(
      rowOutputs(trial, rows),
      rows.map((row) => slowStar(trial.params, row)),
    );
  });
});

describe("what star has of a scenario's own", () => {
  beforeAll(useReferenceBackend);

  it("learns from the rows of that scenario only", () => {
    const trial = setUp(star, { config });
    const rows = makeRows(trial, 12).map((row) => ({ ...row, scenario: row.scenario === 1 ? 0 : row.scenario }));
    const { gradients } = gradientsOf(trial, toBatch(trial, rows), (at, batch) =>
      probeLoss(at, batch, { training: true }),
    );
    for (const name of Object.keys(trial.params).filter((it) => it.includes("scenario"))) {
      const [gradient, axis] = [gradients[name]!, scenarioAxis(name, gradients[name]!)];
      const learns = tf.split(gradient, 3, axis).map((part) => largest(part) > 0);
      expect([name, ...learns]).toEqual([name, true, false, true]);
    }
  });

  it("adds logits of the auxiliary network for every task", () => {
    const trial = setUp(star, { config, sizes: { tasks: 4 } });
    const result = run(trial, toBatch(trial, makeRows(trial, 2)));
    expect(result.logitBias?.shape).toEqual([2, 4]);
    const without = setUp(star, { config: { ...config, auxiliaryNetwork: false } });
    expect(run(without, toBatch(without, makeRows(without, 2))).logitBias).toBeUndefined();
  });
});

describe("star with a scenario or task added later", () => {
  beforeAll(useReferenceBackend);

  it.each([
    { added: "a scenario", sizes: { scenarios: 4 } },
    { added: "a task", sizes: { tasks: 3 } },
  ])("gives the old cells what they had: $added", ({ sizes }) => {
    const before = setUp(star, { config });
    const after = setUp(star, { config, sizes: { ...sizes, founders: { scenarios: 3, tasks: 2 } } });
    // The old array comes first, along one axis.
    const grown = (now: Params, old: Params): Params =>
      Object.fromEntries(
        Object.entries(now).map(([name, value]): [string, tf.Tensor] => {
          const axis = old[name]!.shape.findIndex((size, i) => size !== value.shape[i]);
          if (axis < 0) return [name, old[name]!];
          const begin = value.shape.map((_, i) => (i === axis ? old[name]!.shape[i]! : 0));
          return [name, tf.concat([old[name]!, tf.slice(value, begin)], axis)];
        }),
      );
    const rows = makeRows(before, 5);
    const [params, buffers] = [grown(after.params, before.params), grown(after.buffers, before.buffers)];
    expectClose(
      rowOutputs({ ...after, params, buffers }, rows).map((row) => row.slice(0, 8)),
      rowOutputs(before, rows),
      "old cells",
      1e-6,
    );
  });
});

describe("star's size", () => {
  it("is (1+S)(w + Σd) of the layers, 2(1+S)D of the normalisation, the auxiliary network and S·d_s", () => {
    const { backbone } = setUp(star, { config });
    const [S, T, D, ds, hidden] = [3, 2, 12, 3, 5];
    const layers = (1 + S) * (D * 8 + 8 * 6 + 8 + 6);
    const auxiliary = (D + ds + 1) * hidden + (hidden + 1) * T + S * ds;
    expect(parameterCount(backbone)).toBe(layers + 2 * (1 + S) * D + auxiliary);
  });
});

interface GoldenConfig {
  readonly S: number;
  readonly D0: number;
  readonly T: number;
  readonly dims: readonly number[];
  readonly scenario_emb: number;
  readonly aux_hidden: readonly number[];
  readonly momentum: number;
}

interface GoldenExpected {
  readonly train: GoldenOutput;
  readonly running_mean_after: number[][];
  readonly running_var_after: number[][];
  readonly eval_after_one_train_step: GoldenOutput;
}

interface GoldenOutput {
  readonly rep: readonly (readonly number[])[];
  readonly aux_logits: readonly (readonly number[])[];
}

const tolerance = (expected: number): number => 2e-6 + 1e-5 * Math.abs(expected);
const same = (_: string, x: tf.Tensor2D): tf.Tensor2D => x;
const tables = (x: tf.Tensor): number[][] => x.arraySync() as number[][];

/** `star.l0.s1.W` is `star.0.s1.kernel`, a part of `star.0.scenario.kernel`; see `sideBySide`. */
function rename(name: string): string {
  return name
    .replace(/^pn\.(gamma|beta)$/, "norm.$1")
    .replace(/^pn\.(gamma|beta)\.s(\d+)$/, "norm.s$2.$1")
    .replace("aux.scenario_embedding", "auxiliary.scenarios")
    .replace(/^aux\./, "auxiliary.")
    .replace(/\.l(\d+)\./, ".$1.")
    .replace(".shared.", ".")
    .replace(/\.W$/, ".kernel")
    .replace(/\.b$/, ".bias");
}

/** The arrays of single scenarios, `a.s0.b`, `a.s1.b` ..., as one, `a.scenario.b`. */
function sideBySide(params: Params, scenarios: number): Params {
  const joined = Object.entries(params).flatMap(([name, value]): [string, tf.Tensor][] => {
    if (!/\.s\d+\./.test(name)) return [[name, value]];
    if (!name.includes(".s0.")) return [];
    const parts = Array.from({ length: scenarios }, (_, s) => params[name.replace(".s0.", `.s${s}.`)]!);
    const whole = name.startsWith("norm.") ? tf.stack(parts) : tf.concat(parts, value.rank - 1);
    return [[name.replace(".s0.", ".scenario."), whole]];
  });
  return Object.fromEntries(joined);
}

function slowStar(params: Params, { features, scenario }: Row): number[] {
  return [0, 1].reduce<readonly number[]>((h, l) => {
    const [kernel, own] = [`star.${l}.kernel`, `star.${l}.scenario.kernel`].map((name) => tables(params[name]!));
    const [bias, ownBias] = [`star.${l}.bias`, `star.${l}.scenario.bias`].map((name) => params[name]!.dataSync());
    return kernel![0]!.map((_, j) => {
      const column = scenario * bias!.length + j;
      const sum = h.reduce((total, x, i) => total + x * kernel![i]![j]! * own![i]![column]!, 0);
      return Math.max(0, sum + bias![j]! + ownBias![column]!);
    });
  }, features) as number[];
}
