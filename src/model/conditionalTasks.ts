/**
 * The composed logits of conditional tasks (ESMM, SIGIR 2018, arXiv 1804.07931; any number of tasks, in chains): heads give the
 * logit b of a task where its condition is 1, and with a, the condition's composed logit, c is that of both: σ(c) = σ(a)·σ(b).
 * Then the BCE of c over all rows is the paper's loss. Products of probabilities would have no gradient once rounded to 0.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { behindConditions, type TaskConditions } from "../taskConditions.ts";

/** Own logits [batch, T] → composed ones [batch, T]; the same tensor where no task has a condition. */
export function composedLogits(logits: Tensor2D, conditions: TaskConditions | undefined): Tensor2D {
  if (!conditions?.some((condition) => condition !== null)) return logits;
  const own = tf.split(logits, conditions.length, 1) as Tensor2D[]; // T × [batch, 1]
  const columns = [...own]; // a copy: what a gradient is found by must not be written over
  for (const task of behindConditions(conditions)) {
    const condition = conditions[task]!;
    if (condition !== null) columns[task] = composed(columns[condition]!, columns[task]!);
  }
  return tf.concat2d(columns, 1);
}

/** c = −ln(e^−a + e^−b + e^−a−b) = a − softplus(softplus(a) − b) */
function composed(a: Tensor2D, b: Tensor2D): Tensor2D {
  return tf.sub(a, tf.softplus(tf.sub(tf.softplus(a), b)));
}
