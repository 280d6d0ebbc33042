/**
 * How AESM² picks experts row by row. Every group (a scenario, or a task) has gate logits over the experts; how an expert's
 * logits differ between the groups says whom it belongs to. Those that belong most to the row's own group are its specific
 * ones, those that belong to all alike the shared ones; the row is mixed from both.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { stopGradient } from "#plugin";

export interface Choice {
  /** Weights of the experts, zero for those not chosen [batch, n]. */
  readonly gate: Tensor2D;
  /** Absent where there is nothing to choose by, with one group alone. */
  readonly chosen?: { readonly specific: Chosen; readonly shared: Chosen };
}

export interface Chosen {
  /** KL(what is wanted of an expert ‖ its groups), the smaller the better [batch, n]. */
  readonly divergence: Tensor2D;
  /** 1 for the experts with the smallest divergence, else 0 [batch, n]. */
  readonly mask: Tensor2D;
  /** Mean divergence of the chosen ones over the rows, a scalar. */
  readonly loss: Tensor;
}

export interface ChooseOptions {
  /** Of the first groups, which were trained together; a group added later is seen by its own rows alone. */
  readonly founders: number;
  readonly specific: number;
  readonly shared: number;
}

const epsilon = 1e-9;
const excluded = 1e9;

/**
 * @param logits L of every group [batch, groups, n]
 * @param noisy the same with noise, by which is chosen; the mixture is made by L
 * @param own one-hot, the row's group [batch, groups], or [1, groups] where it is that of all rows
 */
export function chooseExperts(logits: Tensor, noisy: Tensor, own: Tensor2D, options: ChooseOptions): Choice {
  const { founders, specific, shared } = options;
  const mine = tf.sum<Tensor2D>(tf.mul(logits, tf.expandDims(own, 2)), 1); // L of the row's group  [batch, n]
  if (founders === 1) return { gate: tf.softmax(mine) };

  const groups = own.shape[1];
  const founding = tf.tensor2d([Array.from({ length: groups }, (_, j) => Number(j < founders))]); // [1, groups]
  const seen = tf.maximum<Tensor2D>(own, founding); // [batch or 1, groups]
  const ofGroup = (x: Tensor2D): Tensor => tf.expandDims(x, 2); // [batch or 1, groups, 1]
  const q = softmaxOverGroups(tf.add(noisy, ofGroup(tf.mul(tf.sub(seen, 1), excluded)))); // [batch, groups, n]
  const logQ = tf.log(tf.add(q, epsilon));
  const count = tf.sum<Tensor2D>(seen, 1, true); // groups that the row sees  [batch or 1, 1]
  const logOwn = tf.sum<Tensor2D>(tf.mul(logQ, ofGroup(own)), 1); // ln q_s  [batch, n]
  const meanLog = tf.div<Tensor2D>(tf.sum(tf.mul(logQ, ofGroup(seen)), 1), count); // [batch, n]

  const chosen = {
    specific: closest(tf.neg(logOwn), specific), // KL(one-hot of the own group ‖ q) = −ln q_s
    shared: closest(tf.neg(tf.add<Tensor2D>(tf.log(count), meanLog)), shared), // KL(uniform ‖ q)
  };
  const mask = tf.maximum(chosen.specific.mask, chosen.shared.mask); // one in both counts once  [batch, n]
  return { gate: tf.softmax<Tensor2D>(tf.add(mine, tf.mul(tf.sub(mask, 1), excluded))), chosen };
}

/** Over the second axis as it lies: tf.softmax would have to transpose, which costs more than all the rest. */
function softmaxOverGroups(x: Tensor): Tensor {
  const powers = tf.exp(tf.sub(x, stopGradient(tf.max(x, 1, true))));
  return tf.div(powers, tf.sum(powers, 1, true));
}

/** The k experts of each row with the smallest divergence. */
function closest(divergence: Tensor2D, k: number): Chosen {
  const mask = isClosest(divergence, k);
  return { divergence, mask, loss: tf.mean(tf.div(tf.sum(tf.mul(mask, divergence), 1), k)) };
}

/** 1 for the k smallest of each row, else 0; of equal ones the first is smaller [batch, n] → [batch, n]. No gradient. */
function isClosest(divergence: Tensor2D, k: number): Tensor2D {
  const n = divergence.shape[1];
  const earlier = tf.tensor2d(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => Number(j < i))));
  // Comparisons have no gradient, not even zero: one is given to all of them together.
  const choose = tf.customGrad((x) => {
    const d = x as Tensor2D;
    const [mine, others] = [tf.expandDims(d, 2), tf.expandDims(d, 1)]; // [batch, n, 1] and [batch, 1, n]
    const smaller = tf.cast(tf.less(others, mine), "float32"); // [batch, n, n]
    const ties = tf.mul(tf.cast(tf.equal(others, mine), "float32"), earlier); // [batch, n, n]
    const ranks = tf.sum(tf.add(smaller, ties), 2); // how many come before  [batch, n]
    return { value: tf.cast(tf.less(ranks, k), "float32"), gradFunc: () => tf.zerosLike(d) };
  });
  return choose(divergence) as Tensor2D;
}
