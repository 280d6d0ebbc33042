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
  type Row,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import csii from "./index.ts";

const config = { layers: [8, 6] };
const pooled = { ...config, subOutputs: 3 };

for (const subject of subjects) describeBackbone(csii, subject);

describe("csii computes", () => {
  beforeAll(useReferenceBackend);

  it("by hand: u = 2 and 6 under logits that differ by ln 3 give 5, and 0.5·5 + 1 = 3.5", () => {
    const trial = setUp(csii, { config: { layers: [1] }, sizes: { fields: 1, embeddingDim: 1 }, spread: 0 });
    const params: Params = {
      ...trial.params,
      ...Object.fromEntries([1, 2, 6].map((w, t) => [`scenario${t}.0.kernel`, tf.fill([1, 1], w)])),
      ...Object.fromEntries([0, 1, 2].map((t) => [`scenario${t}.transfer.score`, tf.fill([3, 1], 50)])), // r = 1
      "shared.0.kernel": tf.fill([1, 1], 0.25),
      "attention.query": tf.ones([1, 1]),
      "attention.key": tf.fill([1, 1], Math.log(3) / 4),
    };
    expectClose(rowOutputs({ ...trial, params }, [{ features: [1], scenario: 0 }]), [[3.5, 0.25]], "rep", 1e-5);
  });

  for (const [kind, given] of Object.entries({ "one output": config, "three sub-outputs": pooled }))
    it(`what plain loops compute, with experts of ${kind}`, () => {
      for (const scenarios of [1, 2, 4]) {
        const trial = setUp(csii, { config: given, sizes: { scenarios } });
        const rows = makeRows(trial, 8);
        expectClose(
          rowOutputs(trial, rows),
          rows.map((row) => reference(trial, csii.config.parse(given), row)),
          `${scenarios} scenarios`,
        );
      }
    });

  it("the row's own expert and the shared one alone when α is 0", () => {
    const trial = setUp(csii, { config });
    const rows = makeRows(trial, 6);
    const params = { ...trial.params, "attention.weight": tf.fill([3, 1], -200) };
    expectClose(
      rowOutputs({ ...trial, params }, rows),
      rows.map((row) => [
        ...layers(trial, row.features, `scenario${row.scenario}`),
        ...layers(trial, row.features, "shared"),
      ]),
    );
  });

  it("from equal experts that are given all of a row (1 + α) times what each gives", () => {
    const trial = setUp(csii, { config });
    const rows = makeRows(trial, 6);
    const params = Object.fromEntries(
      Object.entries(trial.params).map(([name, value]): [string, tf.Tensor] => {
        if (/\.(scale|shift)$/.test(name)) return [name, tf.zerosLike(value)];
        if (name.endsWith(".score")) return [name, tf.fill(value.shape, 60)];
        if (name === "attention.weight") return [name, tf.zerosLike(value)]; // α = 1/2
        return [name, trial.params[name.replace(/^scenario\d\.(\d)/, "scenario0.$1")]!];
      }),
    );
    expectClose(
      rowOutputs({ ...trial, params }, rows).map((row) => row.slice(0, 6)),
      rows.map((row) => layers(trial, row.features, "scenario0").map((value) => 1.5 * value)),
    );
  });
});

describe("csii's attention", () => {
  beforeAll(useReferenceBackend);

  it("has weights that sum to 1 over the other scenarios, and none for a row's own", () => {
    const trial = setUp(csii, { config });
    const rows = makeRows(trial, 6);
    const { statistics } = run(trial, toBatch(trial, rows));
    const attention = statistics["attention"]!.arraySync() as number[][];
    attention.forEach((weights, b) => {
      expect(weights[rows[b]!.scenario]).toBe(0);
      expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 6);
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
    });
  });

  it("tells how much of a row is transferred: all to its own expert, less to another", () => {
    const trial = setUp(csii, { config });
    const rows = makeRows(trial, 6);
    const { statistics } = run(trial, toBatch(trial, rows));
    const transferred = statistics["transferred"]!.arraySync() as number[][];
    transferred.forEach((shares, b) =>
      shares.forEach((share, t) => {
        if (t === rows[b]!.scenario) expect(share).toBe(1);
        else expect(share > 0 && share < 1).toBe(true);
      }),
    );
  });
});

describe("csii's experts", () => {
  beforeAll(useReferenceBackend);

  const withoutScenario1 = (trial: Trial): Row[] =>
    makeRows(trial, 9).map((row) => ({ ...row, scenario: row.scenario === 1 ? 0 : row.scenario }));

  it("learn from the rows of every scenario", () => {
    const trial = setUp(csii, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, withoutScenario1(trial)));
    expect(largest(gradients["scenario1.0.kernel"]!)).toBeGreaterThan(0);
  });

  it("learn from their own rows only with detachForeign, which changes no other gradient and no output", () => {
    const [attached, detached] = [false, true].map((detachForeign) =>
      setUp(csii, { config: { ...pooled, detachForeign } }),
    );
    const rows = withoutScenario1(attached!);
    expect(rowOutputs(detached!, rows)).toEqual(rowOutputs(attached!, rows));
    const [before, after] = [attached!, detached!].map((trial) => gradientsOf(trial, toBatch(trial, rows)).gradients);
    for (const name of Object.keys(after!)) {
      if (name.startsWith("scenario1.0.") || name.startsWith("scenario1.1."))
        expect(largest(after![name]!), name).toBe(0);
      else if (!/^scenario\d\.\d/.test(name))
        expectClose([[...after![name]!.dataSync()]], [[...before![name]!.dataSync()]], name);
    }
  });

  it("with detachForeign get the gradient that their own rows alone give", () => {
    const trial = setUp(csii, { config: { ...pooled, detachForeign: true } });
    const rows = makeRows(trial, 9);
    // Each row's loss has the same weights here, so that rows can be left out.
    const lossOf: Parameters<typeof gradientsOf>[2] = (at, batch) => tf.sum(run(at, batch).representations[0]!);
    const { gradients: all } = gradientsOf(trial, toBatch(trial, rows), lossOf);
    const own = rows.filter((row) => row.scenario === 2);
    const { gradients: alone } = gradientsOf(trial, toBatch(trial, own), lossOf);
    for (const name of ["scenario2.0.kernel", "scenario2.0.bias", "scenario2.1.kernel", "scenario2.1.bias"])
      expectClose([[...all[name]!.dataSync()]], [[...alone[name]!.dataSync()]], name);
  });
});

describe("csii with scenarios added later", () => {
  beforeAll(useReferenceBackend);

  for (const scenarios of [1, 3])
    it(`gives the same for the rows of the ${scenarios} it had`, () => {
      const before = setUp(csii, { config, sizes: { scenarios } });
      const after = setUp(csii, { config, sizes: { scenarios: scenarios + 2, founders: before.sizes }, seed: 2 });
      const params = Object.entries(after.params).map(([name, value]): [string, tf.Tensor] => {
        const old = before.params[name];
        if (!old || old.shape[0] === value.shape[0]) return [name, old ?? value];
        return [name, tf.concat([old, tf.slice(value, [scenarios, 0], [2, value.shape[1]!])])];
      });
      const rows = makeRows(before, 6);
      const grown = { ...after, params: Object.fromEntries(params) };
      expectClose(rowOutputs(grown, rows), rowOutputs(before, rows), "old rows", 1e-6);
    });

  it("lets new rows read the experts of the first scenarios and their own, and nobody the new ones", () => {
    const founders = { scenarios: 3, tasks: 2 };
    const trial = setUp(csii, { config, sizes: { scenarios: 5, founders } });
    const read = (scenario: number): number[] => {
      const rows = makeRows(trial, 6).map((row) => ({ ...row, scenario }));
      const { gradients } = gradientsOf(trial, toBatch(trial, rows));
      return [0, 1, 2, 3, 4].filter((t) => largest(gradients[`scenario${t}.0.kernel`]!) > 0);
    };
    expect(read(0)).toEqual([0, 1, 2]);
    expect(read(4)).toEqual([0, 1, 2, 4]);
  });
});

describe("csii's size", () => {
  const count = (given: object, scenarios: number): number =>
    parameterCount(setUp(csii, { config: given, sizes: { scenarios } }).backbone);
  const expert = 12 * 8 + 8 + 8 * 6 + 6;

  it("is S + 1 experts, what is transferred between each two scenarios, and the attention", () => {
    expect(count(config, 3)).toBe(4 * expert + 3 * (3 * (12 + 12 + 3) + 4) + 2 * 6 * 6 + 3);
  });

  it("has K times the last layer in every scenario's expert, and one vector to pool with", () => {
    expect(count(pooled, 3)).toBe(count(config, 3) + 3 * 2 * (8 * 6 + 6) + 6);
  });

  it("is two experts for one scenario, which has no other to learn from", () => {
    expect(count(config, 1)).toBe(2 * expert);
  });
});

/** Two layers with ReLU in float64; wide last layers keep all their sub-outputs. */
function layers({ params }: Trial, x: readonly number[], name: string): number[] {
  return [0, 1].reduce<readonly number[]>((h, l) => {
    const w = params[`${name}.${l}.kernel`]!.arraySync() as number[][];
    const b = params[`${name}.${l}.bias`]!.arraySync() as number[];
    return b.map((start, j) =>
      Math.max(
        0,
        h.reduce((sum, value, i) => sum + value * w[i]![j]!, start),
      ),
    );
  }, x) as number[];
}

/** The representation of one row, in float64. */
function reference(
  trial: Trial,
  { subOutputs }: ReturnType<typeof csii.config.parse>,
  { features, scenario: s }: Row,
): number[] {
  const { fields, embeddingDim: e, scenarios } = trial.sizes;
  const values = (name: string): number[][] => trial.params[name]!.arraySync() as number[][];
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  const softmax = (z: readonly number[]): number[] =>
    z.map((x) => Math.exp(x) / z.reduce((sum, y) => sum + Math.exp(y), 0));
  const weighted = (weights: readonly number[], rows: readonly number[][]): number[] =>
    rows[0]!.map((_, j) => rows.reduce((sum, row, k) => sum + weights[k]! * row[j]!, 0));
  const expertOf = (x: readonly number[], t: number): number[] => {
    const wide = layers(trial, x, `scenario${t}`);
    const width = wide.length / subOutputs;
    const u = Array.from({ length: subOutputs }, (_, k) => wide.slice(k * width, (k + 1) * width));
    if (subOutputs === 1) return wide;
    return weighted(softmax(u.map((of) => dot(of, values("pooling").flat()) / Math.sqrt(width))), u);
  };
  const transferred = (t: number): number[] =>
    Array.from({ length: fields }, (_, p) => {
      const [scale, shift, score] = ["scale", "shift", "score"].map(
        (name) => values(`scenario${t}.transfer.${name}`)[s]!,
      );
      const c = values(`scenario${t}.transfer.target`).flat();
      const v = Array.from(
        { length: e },
        (_x, i) => features[p * e + i]! * (1 + scale![p * e + i]!) + shift![p * e + i]!,
      );
      const r = sigmoid(dot(v, c) / Math.sqrt(e) + score![p]!);
      return v.map((x) => r * x);
    }).flat();

  const h = expertOf(features, s);
  const share = layers(trial, features, "shared");
  const others = Array.from({ length: scenarios }, (_, t) => t).filter((t) => t !== s);
  if (others.length === 0) return [...h, ...share];
  const project = (x: readonly number[], name: string): number[] =>
    h.map((_, j) =>
      dot(
        x,
        values(name).map((row) => row[j]!),
      ),
    );
  const u = others.map((t) => expertOf(transferred(t), t));
  const query = project(h, "attention.query");
  const b = softmax(u.map((of) => dot(query, project(of, "attention.key")) / Math.sqrt(h.length)));
  const alpha = sigmoid(values("attention.weight")[s]![0]!);
  return [...weighted(b, u).map((x, j) => alpha * x + h[j]!), ...share];
}
