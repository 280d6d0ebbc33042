/** How the graph of a step makes one gradient of the losses of several tasks. */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-core";
import type { InputSpecs } from "../../engine/engine.ts";
import type { StepLoss } from "../lossFunctions.ts";

/** The loss of a step as a function of what it is differentiated by. */
export type LossOf = (xs: readonly Tensor[]) => StepLoss;

export interface BalancedGradients {
  /** Sum of the tasks' losses and of what is added to them, whatever the tasks weigh: the same figure under every rule. */
  readonly loss: Tensor;
  /** One for each x. */
  readonly gradients: readonly Tensor[];
  readonly buffers: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

export interface GradientRule {
  /** What it reads besides, by name; of a fixed size. */
  readonly inputs: InputSpecs;
  /** What it measures, by name: numbers in each. */
  readonly outputs: Readonly<Record<string, number>>;
  /** `xs`: the gathered embeddings, then the parameters. */
  differentiate(lossOf: LossOf, xs: readonly Tensor[], inputs: Readonly<Record<string, Tensor>>): BalancedGradients;
}

/** ∇(Σ L_t + further). */
export const sumOfLosses: GradientRule = {
  inputs: {},
  outputs: {},
  differentiate(lossOf, xs) {
    let buffers: BalancedGradients["buffers"] = {};
    const { value, grads } = tf.valueAndGrads((...tensors: Tensor[]) => {
      const result = lossOf(tensors);
      buffers = keptAll(result.buffers);
      return totalOf(result) as Scalar;
    })([...xs]);
    return { loss: value, gradients: grads, buffers, outputs: {} };
  },
};

/** ∇(Σ w_t L_t + further) with the input "weights" w [T]; measures "losses" L [T]. */
export function weightedLosses(tasks: number): GradientRule {
  return {
    inputs: { weights: { shape: [tasks] } },
    outputs: { losses: tasks },
    differentiate(lossOf, xs, { weights }) {
      const kept: { buffers: Readonly<Record<string, Tensor>>; loss?: Tensor; losses?: Tensor } = { buffers: {} };
      const { grads } = tf.valueAndGrads((...tensors: Tensor[]) => {
        const result = lossOf(tensors);
        kept.buffers = keptAll(result.buffers);
        kept.losses = tf.keep(tf.clone(result.taskLosses));
        kept.loss = tf.keep(totalOf(result));
        return totalOf({ ...result, taskLosses: tf.mul<Tensor1D>(result.taskLosses, weights!) }) as Scalar;
      })([...xs]);
      const { buffers, loss, losses } = kept;
      return { loss: loss!, gradients: grads, buffers, outputs: { losses: losses! } };
    },
  };
}

/** The same; measures also "norms" [T]: of the gradient of each L_t with respect to the gathered embeddings. */
export function weightedLossesWithNorms(tasks: number): GradientRule {
  const weighted = weightedLosses(tasks);
  return {
    inputs: weighted.inputs,
    outputs: { ...weighted.outputs, norms: tasks },
    differentiate(lossOf, xs, inputs) {
      const result = weighted.differentiate(lossOf, xs, inputs);
      const norms = taskGradients(lossOf, xs, [xs[0]!], tasks).map(([g]) => tf.sqrt(tf.sum(tf.square(g!))));
      return { ...result, outputs: { ...result.outputs, norms: tf.stack(norms) } };
    },
  };
}

/**
 * The gradient of each task's loss alone with respect to some of the xs [T][of]; zeros where it does not depend on one.
 * Every task repeats the forward pass, which the compiled engine then does once.
 */
export function taskGradients(
  lossOf: LossOf,
  xs: readonly Tensor[],
  of: readonly Tensor[],
  tasks: number,
): readonly (readonly Tensor[])[] {
  return Array.from({ length: tasks }, (_, task) => {
    const only = tf.tensor1d(Array.from({ length: tasks }, (_, t) => Number(t === task)));
    return gradientsOrZeros(() => lossOf(xs).taskLosses, of, only);
  });
}

/** dy·∂y/∂x; zeros for an x that y does not depend on. */
export function gradientsOrZeros(y: () => Tensor, xs: readonly Tensor[], dy?: Tensor): readonly Tensor[] {
  const { grads } = tf.engine().gradients(y, [...xs], dy, true);
  return xs.map((x, i) => (grads as (Tensor | undefined)[])[i] ?? tf.zerosLike(x));
}

/** Σ L_t + further. */
export function totalOf({ taskLosses, further }: Pick<StepLoss, "taskLosses" | "further">): Tensor {
  const ofTasks = tf.sum(taskLosses);
  return further ? tf.add(ofTasks, further) : ofTasks;
}

/** What is computed inside a gradient but is not its value would be freed with it. */
function keptAll(tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, tf.keep(x)]));
}
