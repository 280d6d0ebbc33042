/** What of a row is given to the expert of another scenario: every field changed a little and weighed by how well it transfers. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { glorotUniform, matrix, param, zeros, type Params, type ParamSpecs } from "#plugin";

export interface TransferSizes {
  readonly fields: number;
  readonly embeddingDim: number;
  readonly scenarios: number;
}

/** To one target t. Rows of the arrays are the scenarios; that of t itself is not read. */
export function transferParams(name: string, { fields, embeddingDim, scenarios }: TransferSizes): ParamSpecs {
  return {
    [`${name}.scale`]: param([scenarios, fields * embeddingDim], zeros), // Γ
    [`${name}.shift`]: param([scenarios, fields * embeddingDim], zeros), // Δ
    [`${name}.score`]: param([scenarios, fields], zeros), // ρ
    [`${name}.target`]: param([embeddingDim, 1], glorotUniform(embeddingDim, 1)), // c
  };
}

/**
 * v_p = e_p ∘ (1 + Γ_s,p) + Δ_s,p; r_p = σ(v_p·c/√e + ρ_s,p); x_t = concat_p r_p·v_p. Rows of the target itself come as they
 * are, with r = 1. Fields [batch, F, e] → x [batch, F·e], r [batch, F].
 */
export function transfer(
  p: Params,
  name: string,
  e: Tensor,
  scenarioOneHot: Tensor2D,
  target: number,
): { x: Tensor2D; r: Tensor2D } {
  const [fields, embeddingDim] = e.shape.slice(1) as [number, number];
  const perField = [-1, fields, embeddingDim];
  const others = scenarioOneHot.shape[1];
  const foreignScenarios = tf.tensor1d(Array.from({ length: others }, (_, s) => Number(s !== target)));
  const s = tf.mul<Tensor2D>(scenarioOneHot, foreignScenarios); // one-hot; zeros for rows of the target  [batch, S]
  const of = (array: string): Tensor2D => tf.matMul(s, matrix(p, `${name}.${array}`));

  const scale = tf.reshape(tf.add(of("scale"), 1), perField);
  const v = tf.add(tf.mul(e, scale), tf.reshape(of("shift"), perField)); // [batch, F, e]
  const scores = tf.matMul(tf.reshape(v, [-1, embeddingDim]) as Tensor2D, matrix(p, `${name}.target`)); // [batch·F, 1]
  const score = tf.add(tf.div(tf.reshape(scores, [-1, fields]), Math.sqrt(embeddingDim)), of("score")); // [batch, F]
  const isForeign = tf.sum<Tensor2D>(s, 1, true); // [batch, 1]
  const r = tf.add<Tensor2D>(tf.mul(tf.sigmoid(score), isForeign), tf.sub(1, isForeign)); // [batch, F]
  const x = tf.mul(tf.reshape(r, [-1, fields, 1]), v);
  return { x: tf.reshape(x, [-1, fields * embeddingDim]) as Tensor2D, r };
}
