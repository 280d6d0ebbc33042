/**
 * PCGrad (Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020): where the gradients of two tasks point
 * against each other, each is projected onto the normal plane of the other. Everything it does to them is linear, so it
 * is done to coefficients: c with Σ_t c_t g_t the final gradient, from the inner products of the gradients alone.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import type { Random } from "../../random.ts";
import { type GradientRule, gradientsOrZeros, taskGradients, totalOf } from "./gradientRules.ts";

/**
 * A task's gradient is all of it: of the parameters and of the gathered embeddings, which stand for the table. Reads
 * "order" [T − 1, T, T], see `fillTaskOrder`; measures "coefficients" c [T]. What is added to the losses is not projected.
 * For two tasks or more.
 */
export function projectedGradients(tasks: number): GradientRule {
  return {
    inputs: { order: { shape: [tasks - 1, tasks, tasks] } },
    outputs: { coefficients: tasks },
    differentiate(lossOf, xs, { order }) {
      const values = lossOf(xs);
      const perTask = taskGradients(lossOf, xs, xs, tasks);
      const further = values.further ? gradientsOrZeros(() => lossOf(xs).further!, xs) : undefined;
      const stacked = xs.map((x, i) => tf.reshape<tf.Rank.R2>(tf.stack(perTask.map((g) => g[i]!)), [tasks, x.size])); // [T, n]
      const products = tf.addN(stacked.map((g) => tf.matMul(g, g, false, true))) as Tensor2D; // [T, T]
      const coefficients = projectionCoefficients(products, order as Tensor3D);
      const row = tf.reshape<tf.Rank.R2>(coefficients, [1, tasks]);
      const gradients = xs.map((x, i): Tensor => {
        const sum = tf.reshape(tf.matMul(row, stacked[i]!), x.shape);
        return further ? tf.add(sum, further[i]!) : sum;
      });
      return { loss: totalOf(values), gradients, buffers: values.buffers, outputs: { coefficients } };
    },
  };
}

/**
 * c [T] from the inner products <g_i, g_j> [T, T]. Row i of C holds the coefficients of what is left of g_i; it is led
 * past the other tasks one by one, all rows at once.
 */
export function projectionCoefficients(products: Tensor2D, order: Tensor3D): Tensor1D {
  const tasks = products.shape[0];
  const identity = tf.tensor2d(
    Array.from({ length: tasks * tasks }, (_, at) => Number(at % (tasks + 1) === 0)),
    [tasks, tasks],
  );
  const squares = tf.sum(tf.mul(products, identity), 0); // |g_j|² [T]
  let C: Tensor2D = identity;
  for (let place = 0; place < tasks - 1; place++) {
    const other = tf.reshape<tf.Rank.R2>(tf.slice(order, [place, 0, 0], [1, tasks, tasks]), [tasks, tasks]);
    const along = tf.sum(tf.mul(tf.matMul<Tensor2D>(C, products), other), 1, true); // <what is left of g_i, g_j> [T, 1]
    const square = tf.sum(tf.mul(other, squares), 1, true); // [T, 1]
    C = tf.add(C, tf.mul(other, tf.div(tf.relu(tf.neg(along)), tf.maximum(square, smallest))));
  }
  return tf.sum(C, 0);
}

/** For place p and task i the one-hot of the task that comes p-th for it [T − 1, T, T]: the others, in an order drawn for each. */
export function fillTaskOrder(into: Float32Array, tasks: number, random: Random): void {
  into.fill(0);
  for (let task = 0; task < tasks; task++) {
    const others = Array.from({ length: tasks }, (_, t) => t).filter((t) => t !== task);
    for (let last = others.length - 1; last >= 0; last--) {
      const drawn = Math.floor(random.uniform() * (last + 1));
      [others[last], others[drawn]] = [others[drawn]!, others[last]!];
      into[(last * tasks + task) * tasks + others[last]!] = 1;
    }
  }
}

/** In place of the square of a gradient that is zero, against which nothing is projected. */
const smallest = 1e-30;
