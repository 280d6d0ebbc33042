/** The training losses (spec §2), as pure functions of logits. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

/** Σ_m mean over rows of BCE-with-logits: logits and labels [batch, T] → scalar. Stable for large |logit|. */
export function binaryCrossEntropy(logits: Tensor2D, labels: Tensor2D): Tensor {
  // max(l, 0) − l·y + ln(1 + e^−|l|)
  const softplus = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  const perCell = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), softplus); // [batch, T]
  return tf.sum(tf.mean(perCell, 0));
}

/** Soft gates g = σ(τw) [batch, 4T]. */
export function softGates(gateLogits: Tensor2D, temperature: Tensor): Tensor2D {
  return tf.sigmoid(tf.mul(gateLogits, temperature));
}

/** λ·Σ_m mean over rows and flows of g_m: with every task's λ the same, T·λ·mean(g). g=1 removes, so λ>0 keeps. */
export function gateRegulariser(gates: Tensor2D, tasks: number, lambda: number): Tensor {
  return tf.mul(tf.mean(gates), tasks * lambda);
}
