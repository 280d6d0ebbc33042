/** STAR's partitioned normalisation: every scenario is normalised over its own rows, with a scale and shift of its own. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { type BufferSpecs, type ForwardMode, matrix, ones, param, type Params, type ParamSpecs, zeros } from "#plugin";

const epsilon = 1e-5;

export function normParams(width: number, scenarios: number): ParamSpecs {
  return {
    "norm.gamma": param([width], ones),
    "norm.beta": param([width], zeros),
    "norm.scenario.gamma": param([scenarios, width], ones),
    "norm.scenario.beta": param([scenarios, width], zeros),
  };
}

export function normBuffers(width: number, scenarios: number): BufferSpecs {
  return {
    "norm.mean": { shape: [scenarios, width], value: 0 },
    "norm.variance": { shape: [scenarios, width], value: 1 },
    // 1 for a scenario that has had moments.
    "norm.seen": { shape: [scenarios, 1], value: 0 },
  };
}

/**
 * (γ∘γ_s)(x − μ_s)/√(σ²_s + ε) + (β + β_s), s the row's scenario: [batch, width] → the same. In training μ_s and σ²_s
 * (biased) are over the rows of s in the batch, and the running moments move: r ← momentum·r + (1 − momentum)·moment; the
 * first ones are taken whole, as embeddings vary far less than the 1 that r begins with. A scenario with fewer than two rows keeps its running moments and is normalised with them, as all are in evaluation.
 */
export function partitionedNorm(
  p: Params,
  x: Tensor2D,
  scenarioOneHot: Tensor2D,
  mode: ForwardMode,
  momentum: number,
): Tensor2D {
  const runningMean = matrix(p, "norm.mean"); // [S, width]
  const runningVariance = matrix(p, "norm.variance"); // [S, width]
  const ofRow = (perScenario: Tensor): Tensor2D => tf.matMul(scenarioOneHot, perScenario as Tensor2D); // [batch, width]

  let mean: Tensor = runningMean;
  let variance: Tensor = runningVariance;
  let centred = tf.sub<Tensor2D>(x, ofRow(mean)); // [batch, width]
  if (mode.training) {
    const rows = tf.expandDims(tf.sum(scenarioOneHot, 0), 1); // N_s  [S, 1]
    const enough = tf.step(tf.sub(rows, 1)); // 1 where N_s ≥ 2  [S, 1]
    const meanOfOwn = (y: Tensor2D): Tensor => tf.div(tf.matMul(scenarioOneHot, y, true), tf.maximum(rows, 1)); // [S, width]
    const moved = (running: Tensor, moment: Tensor, share: Tensor | number): Tensor =>
      tf.add(running, tf.mul(tf.sub(moment, running), tf.mul(enough, share)));

    const ownMean = meanOfOwn(x);
    mean = moved(runningMean, ownMean, 1);
    centred = tf.sub<Tensor2D>(x, ofRow(mean));
    const ownVariance = meanOfOwn(tf.square(centred));
    variance = moved(runningVariance, ownVariance, 1);
    const seen = matrix(p, "norm.seen"); // [S, 1]
    const share = tf.sub(1, tf.mul(seen, momentum)); // 1 − momentum, of the first moments 1  [S, 1]
    mode.updateBuffer("norm.mean", moved(runningMean, ownMean, share));
    mode.updateBuffer("norm.variance", moved(runningVariance, ownVariance, share));
    mode.updateBuffer("norm.seen", tf.maximum(seen, enough));
  }
  const gamma = tf.mul(p["norm.gamma"]!, p["norm.scenario.gamma"]!); // γ∘γ_s  [S, width]
  const beta = tf.add(p["norm.beta"]!, p["norm.scenario.beta"]!); // β + β_s  [S, width]
  const scale = tf.div(gamma, tf.sqrt(tf.add(variance, epsilon))); // [S, width]
  return tf.add(tf.mul(centred, ofRow(scale)), ofRow(beta)); // [batch, width]
}
