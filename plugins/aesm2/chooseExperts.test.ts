import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { type ForwardMode, mix, type Params } from "#plugin";
import { expectClose, goldenParams, layerName, readGolden, useReferenceBackend } from "#plugin/testing";
import { chooseExperts } from "./chooseExperts.ts";
import { expertLayer } from "./expertLayer.ts";

const evaluation: ForwardMode = {
  training: false,
  dropout: (_, x) => x,
  addNoise: (_, x) => x,
  updateBuffer: () => {},
};

describe("a scenario layer of aesm2", () => {
  beforeAll(useReferenceBackend);

  it("agrees with the golden vectors: divergences, who is chosen, weights, output and losses", () => {
    const golden = readGolden<GoldenConfig, GoldenExpected>(
      new URL("golden/aesm2_scenario_layer.json", import.meta.url),
    );
    const { S, D0, scenario_emb, experts, expert_dims, k_specific, k_shared } = golden.config;
    const { expected, inputs } = golden;
    const layer = expertLayer("layer", {
      inDim: D0,
      layers: expert_dims,
      experts,
      specific: k_specific,
      shared: k_shared,
      groups: S,
      founders: S,
      indicators: { scenario: scenario_emb },
      noise: 0,
      paths: ["layer"],
    });
    const given = goldenParams(golden, layerName);
    const gates = Array.from({ length: S }, (_, j) => given[`gate${j}.kernel`]!);
    const ofExperts = Object.entries(given).filter(([name]) => name.startsWith("expert"));
    const params: Params = {
      ...Object.fromEntries(ofExperts.map(([name, value]) => [`layer.${name}`, value])),
      "layer.gate.kernel": tf.concat(
        gates.map((gate) => tf.slice(gate, [0, 0], [D0, -1])),
        1,
      ),
      "layer.gate.scenario": tf.concat(
        gates.map((gate) => tf.slice(gate, [D0, 0])),
        1,
      ),
      "layer.gate.bias": tf.concat(Array.from({ length: S }, (_, j) => given[`gate${j}.bias`]!)),
    };
    expect(Object.keys(params).sort()).toEqual(Object.keys(layer.params).sort());

    const z = tf.tensor2d(inputs.x.map((row) => [...row]));
    const own = oneHot(inputs.s!, S);
    const scenario = tf.matMul<tf.Tensor2D>(own, given["scenario_embedding"]!);
    const { gate, chosen } = layer.choose(params, "layer", { z, indicators: { scenario }, own }, evaluation);
    const { specific, shared } = chosen!;
    expect(indices(specific.mask)).toEqual(expected.idx_specific);
    expect(indices(shared.mask)).toEqual(expected.idx_shared);
    const compare = (x: tf.Tensor2D, wanted: number[][], what: string): void =>
      expectClose(x.arraySync(), wanted, what, (value) => 2e-6 + 1e-5 * Math.abs(value));
    compare(specific.divergence, expected.kl_specific, "KL to the own scenario");
    compare(shared.divergence, expected.kl_shared, "KL to all scenarios");
    compare(gate, expected.gate, "weights");
    compare(mix(gate, layer.experts(params, z, evaluation)), expected.out, "output");
    expect(specific.loss.arraySync()).toBeCloseTo(expected.loss_specific, 5);
    expect(shared.loss.arraySync()).toBeCloseTo(expected.loss_shared, 5);
  });

  it("chooses by hand: expert 0 belongs to the row's scenario, expert 1 to both, expert 2 to the other", () => {
    const { gate, chosen } = choose([
      [2, 0, -2],
      [0, 0, 0],
    ]);
    expectClose(chosen!.specific.divergence.arraySync(), [[0.126928, 0.693147, 2.126928]], "specific", 1e-5);
    expectClose(chosen!.shared.divergence.arraySync(), [[0.433781, 0, 0.433781]], "shared", 1e-5);
    expect(chosen!.specific.mask.arraySync()).toEqual([[1, 0, 0]]);
    expect(chosen!.shared.mask.arraySync()).toEqual([[0, 1, 0]]);
    expectClose(gate.arraySync(), [[0.880797, 0.119203, 0]], "weights", 1e-6);
    expect(chosen!.specific.loss.arraySync()).toBeCloseTo(0.126928, 5);
    expect(chosen!.shared.loss.arraySync()).toBeCloseTo(0, 6);
  });

  it("gives exactly no weight to an expert that is not chosen, however its logit", () => {
    const { gate } = choose([
      [3, 1, -90],
      [0, 1, 90],
    ]);
    expect(gate.arraySync()[0]![2]).toBe(0);
  });

  it("takes the first of equal experts", () => {
    const { chosen } = choose([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    expect([chosen!.specific, chosen!.shared].map(({ mask }) => mask.arraySync())).toEqual([[[1, 0, 0]], [[1, 0, 0]]]);
  });

  it("chooses by the noisy logits and mixes by the clean ones", () => {
    const clean = [
      [2, 0, -2],
      [0, 0, 0],
    ];
    const noisy = [
      [-2, 0, 2],
      [0, 0, 0],
    ];
    const weights = [Math.exp(-2), 1].map((e) => e / (1 + Math.exp(-2)));
    expectClose(choose(clean, noisy).gate.arraySync(), [[0, weights[1]!, weights[0]!]], "weights", 1e-6);
  });

  it("is a plain mixture by the own gate when all experts are chosen, or when there is one scenario alone", () => {
    const all = choose([[2, 0, -2], [0, 0, 0]], undefined, { founders: 2, specific: 3, shared: 1 }); // prettier-ignore
    const alone = choose([[2, 0, -2]]);
    const plain = tf.softmax(tf.tensor2d([[2, 0, -2]])).arraySync() as number[][];
    expectClose(all.gate.arraySync(), plain);
    expectClose(alone.gate.arraySync(), plain);
    expect(alone.chosen).toBeUndefined();
  });

  it("shows a scenario added later to its own rows alone", () => {
    const old = [
      [2, 0, -2],
      [0, 1, 0],
    ];
    const grown = [...old, [9, -9, 4]];
    const options = { founders: 2, specific: 1, shared: 1 };
    const before = choose(old);
    const after = choose(grown, undefined, options);
    expect(after.gate.arraySync()).toEqual(before.gate.arraySync());
    expect(after.chosen!.shared.divergence.arraySync()).toEqual(before.chosen!.shared.divergence.arraySync());
    // A row of the added one sees all three.
    const added = choose(grown, undefined, options, 2).chosen!.specific.divergence.arraySync()[0]!;
    expect(added[0]).toBeCloseTo(-Math.log(Math.exp(9) / (Math.exp(9) + Math.exp(2) + 1)), 5);
  });
});

interface GoldenConfig {
  readonly S: number;
  readonly D0: number;
  readonly scenario_emb: number;
  readonly experts: number;
  readonly expert_dims: readonly number[];
  readonly k_specific: number;
  readonly k_shared: number;
}

interface GoldenExpected {
  readonly kl_specific: number[][];
  readonly kl_shared: number[][];
  readonly idx_specific: number[][];
  readonly idx_shared: number[][];
  readonly gate: number[][];
  readonly out: number[][];
  readonly loss_specific: number;
  readonly loss_shared: number;
}

/** The choice of one row of scenario `s` from its logits [groups][n]: one specific and one shared expert. */
function choose(
  logits: number[][],
  noisy = logits,
  options = { founders: logits.length, specific: 1, shared: 1 },
  s = 0,
): ReturnType<typeof chooseExperts> {
  return chooseExperts(tf.tensor3d([logits]), tf.tensor3d([noisy]), oneHot([s], logits.length), options);
}

function oneHot(of: readonly number[], depth: number): tf.Tensor2D {
  return tf.tensor2d(of.map((s) => Array.from({ length: depth }, (_, j) => Number(j === s))));
}

function indices(mask: tf.Tensor2D): number[][] {
  return mask.arraySync().map((row) => row.flatMap((one, k) => (one === 1 ? [k] : [])));
}
