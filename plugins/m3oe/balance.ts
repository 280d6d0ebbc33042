/** How M3oE shares a scenario's (or task's) expert with those of the others. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

/**
 * Row i holds the weights of all experts in the balanced expert of i [count, count]: β for its own, and 1 − β in equal
 * parts for the other founders'. Who has no others keeps its own whole.
 */
export function balanced(count: number, founders: number, beta: Tensor | undefined): Tensor2D {
  const others = (i: number): number => founders - Number(i < founders);
  const table = (cell: (i: number, j: number) => number): Tensor2D =>
    tf.tensor2d(Array.from({ length: count }, (_, i) => Array.from({ length: count }, (__, j) => cell(i, j))));
  const lone = table((i, j) => Number(i === j && others(i) === 0));
  if (!beta) return lone;
  const own = table((i, j) => Number(i === j && others(i) > 0));
  const spread = table((i, j) => (i !== j && j < founders ? 1 / others(i) : 0));
  return tf.add(lone, tf.add(tf.mul(own, beta), tf.mul(spread, tf.sub(1, beta))));
}
