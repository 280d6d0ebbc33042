/** Trains a backbone under a linear read-out per task, by gradient descent with momentum, on a handful of rows. */
import * as tf from "@tensorflow/tfjs";
import { createCompiledEngine } from "../engine/compiledEngine.ts";
import type { Params } from "../plugin/contract.ts";
import { makeRows, numbersFrom, run, toBatch, type Trial } from "./trial.ts";

export interface Lesson {
  /** Stop when the loss is below this. */
  readonly target: number;
  readonly maxSteps: number;
}

/** Mean binary cross-entropy over 8 rows and all tasks, before the first step and after the last. Compiled, for speed. */
export async function learnByHeart(
  trial: Trial,
  { target, maxSteps }: Lesson,
): Promise<{ before: number; after: number }> {
  const [rows, tasks] = [8, trial.sizes.tasks];
  const random = numbersFrom(3);
  const labels = Float32Array.from({ length: rows * tasks }, () => Number(random() > 0));
  const lossOf = ({ readOut, bias, ...params }: Params, fixed: Params): tf.Scalar => {
    const buffers = Object.fromEntries(Object.keys(trial.buffers).map((name) => [name, fixed[name]!]));
    const batch = fixed as Params & ReturnType<typeof toBatch>;
    const { representations, logitBias } = run({ ...trial, params, buffers }, batch, { training: true });
    const columns = (tasks === 1 ? [readOut!] : tf.split(readOut!, tasks, 1)) as tf.Tensor2D[]; // tasks × [outputDim, 1]
    const logits = columns.map((column, t) => tf.matMul(representations[t] ?? representations[0]!, column)); // [rows, 1]
    const readOutLogits = tf.add(tf.concat(logits, 1), bias!); // [rows, tasks]
    const all = logitBias ? tf.add(readOutLogits, logitBias) : readOutLogits;
    return tf.losses.sigmoidCrossEntropy(tf.tensor2d(labels, [rows, tasks]), all);
  };

  const start: Params = {
    ...trial.params,
    readOut: tf.zeros([trial.backbone.outputDim, tasks]),
    bias: tf.zeros([tasks]),
  };
  const { features, scenarioOneHot } = toBatch(trial, makeRows(trial, rows));
  const given: Params = { ...start, ...trial.buffers, features, scenarioOneHot };
  const names = Object.keys(start);
  const specs = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, { shape }]));
  const program = await createCompiledEngine({ threads: 1 }).compile((inputs) => {
    const { value, grads } = tf.valueAndGrads((...x) =>
      lossOf(Object.fromEntries(names.map((name, i) => [name, x[i]!])), inputs),
    )(names.map((name) => inputs[name]!));
    return { loss: value, ...Object.fromEntries(names.map((name, i) => [`gradient ${name}`, grads[i]!])) };
  }, specs);

  const [learningRate, momentum] = [0.1, 0.9];
  const arrays = Object.fromEntries(
    Object.entries(given).map(([name, x]) => [name, x.dataSync().slice() as Float32Array]),
  );
  const velocities = names.map((name) => new Float32Array(arrays[name]!.length));
  const losses: number[] = [];
  while (losses.length <= maxSteps && !(losses.at(-1)! < target)) {
    const outputs = await program.run(arrays);
    losses.push(outputs["loss"]![0]!);
    for (const [i, name] of names.entries()) {
      const [values, velocity, gradient] = [arrays[name]!, velocities[i]!, outputs[`gradient ${name}`]!];
      for (let j = 0; j < values.length; j++) {
        velocity[j] = momentum * velocity[j]! + gradient[j]!;
        values[j]! -= learningRate * velocity[j]!;
      }
    }
  }
  await program.release();
  return { before: losses[0]!, after: losses.at(-1)! };
}
