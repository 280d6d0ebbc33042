/** The training losses (spec §2), as pure functions of logits. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

/** Mean over rows of BCE-with-logits: logits and labels [batch, T] → [T]. Stable for large |logit|. */
export function binaryCrossEntropy(logits: Tensor2D, labels: Tensor2D): Tensor1D {
  // max(l, 0) − l·y + ln(1 + e^−|l|)
  const softplus = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  const perCell = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), softplus); // [batch, T]
  return tf.mean(perCell, 0);
}

/** Soft gates g = σ(τw) [batch, 4T]. */
export function softGates(gateLogits: Tensor2D, temperature: Tensor): Tensor2D {
  return tf.sigmoid(tf.mul(gateLogits, temperature));
}

/** Σ_m λ_m·(mean of g_m over rows and flows): gates [batch, 4T], one λ per task. g=1 removes, so λ>0 keeps. */
export function gateRegulariser(gates: Tensor2D, lambdas: readonly number[]): Tensor {
  const perTask = tf.mean(tf.reshape(gates, [-1, lambdas.length, 4]), [0, 2]); // [T]
  return tf.sum(tf.mul(perTask, tf.tensor1d([...lambdas])));
}
