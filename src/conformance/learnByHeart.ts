/** Trains a backbone under a linear read-out per task, by gradient descent with momentum, on a handful of rows. */
import * as tf from "@tensorflow/tfjs";
import type { Params } from "../plugin/contract.ts";
import { makeRows, numbersFrom, run, toBatch, type Trial } from "./trial.ts";

export interface Lesson {
  /** Stop when the loss is below this. */
  readonly target: number;
  readonly maxSteps: number;
}

/** Mean binary cross-entropy over 8 rows and all tasks, before the first step and after the last. */
export function learnByHeart(trial: Trial, { target, maxSteps }: Lesson): { before: number; after: number } {
  const [rows, tasks] = [8, trial.sizes.tasks];
  const batch = toBatch(trial, makeRows(trial, rows));
  const random = numbersFrom(3);
  const labels = tf.tensor2d(
    Float32Array.from({ length: rows * tasks }, () => Number(random() > 0)),
    [rows, tasks],
  );
  const lossOf = ({ readOut, bias, ...params }: Params): tf.Scalar => {
    const { representations } = run({ ...trial, params }, batch, { training: true });
    const columns = tf.split(readOut!, tasks, 1) as tf.Tensor2D[]; // tasks × [outputDim, 1]
    const logits = columns.map((column, t) => tf.matMul(representations[t] ?? representations[0]!, column)); // [rows, 1]
    return tf.losses.sigmoidCrossEntropy(labels, tf.add(tf.concat(logits, 1), bias!));
  };

  const start: Params = {
    ...trial.params,
    readOut: tf.zeros([trial.backbone.outputDim, tasks]),
    bias: tf.zeros([tasks]),
  };
  const names = Object.keys(start);
  const gradient = tf.valueAndGrads((...x) => lossOf(Object.fromEntries(names.map((name, i) => [name, x[i]!]))));
  const [learningRate, momentum] = [0.1, 0.9];
  let values = Object.values(start);
  let velocities = values.map((x) => tf.zerosLike(x));
  const losses: number[] = [];
  while (losses.length <= maxSteps && !(losses.at(-1)! < target)) {
    const { value, grads } = gradient(values);
    losses.push(value.dataSync()[0]!);
    velocities = velocities.map((velocity, i) => tf.add(tf.mul(velocity, momentum), grads[i]!));
    values = values.map((x, i) => tf.sub(x, tf.mul(velocities[i]!, learningRate)));
  }
  return { before: losses[0]!, after: losses.at(-1)! };
}
