/** The rules that give the losses of the tasks weights, and move the weights after every step. */
import type { NamedArray, NamedArrays } from "../../model/checkpoint.ts";

/** Of one step, before its update [T] each. */
export interface Measured {
  readonly losses: Float32Array;
  /** Of the gradient of each loss, unweighted, with respect to the gathered embeddings; GradNorm only. */
  readonly norms?: Float32Array;
}

export interface TaskWeights {
  /** Of the step to come [T]. */
  readonly weights: Float32Array;
  /** All that it remembers, the weights among it; empty where they never change. Views. */
  readonly state: NamedArrays;
  /** `step` counts from 1. */
  afterStep(measured: Measured, step: number): void;
}

export function fixedWeights(weights: readonly number[]): TaskWeights {
  return { weights: Float32Array.from(weights), state: {}, afterStep: () => undefined };
}

/**
 * Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", CVPR 2018, for classification:
 * Σ e^(−s_t) L_t + s_t / 2, with s_t = ln σ_t² (0 at first) trained by Adam beside the parameters of the model.
 */
export function uncertaintyWeights(tasks: number, learningRate: number): TaskWeights {
  const [weights, logVariance, moment1, moment2] = [array(tasks, 1), array(tasks), array(tasks), array(tasks)];
  return {
    weights: weights.values,
    state: { weights, logVariance, moment1, moment2 },
    afterStep({ losses }, step) {
      const gradient = logVarianceGradient(losses, logVariance.values);
      const s = logVariance.values;
      for (let t = 0; t < tasks; t++) {
        const m = (moment1.values[t] = beta1 * moment1.values[t]! + (1 - beta1) * gradient[t]!);
        const v = (moment2.values[t] = beta2 * moment2.values[t]! + (1 - beta2) * gradient[t]! ** 2);
        s[t]! -= (learningRate * (m / (1 - beta1 ** step))) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
        weights.values[t] = Math.exp(-s[t]!);
      }
    },
  };
}

/** ∂/∂s_t of Σ e^(−s_t) L_t + s_t / 2. */
export function logVarianceGradient(losses: Float32Array, logVariance: Float32Array): number[] {
  return Array.from(losses, (loss, t) => 0.5 - Math.exp(-logVariance[t]!) * loss);
}

/**
 * Chen et al., "GradNorm", ICML 2018: the weights descend Σ |G_t − Ḡ·r_t^α|, where G_t = w_t·|∇L_t|, Ḡ is their mean and
 * r_t is L_t over its first value, relative to the mean of all tasks; then they are scaled to the sum T. The step is taken in
 * ln w_t and in units of Ḡ: a weight stays above 0, and the rate means the same whatever the size of a batch.
 */
export function gradNormWeights(
  tasks: number,
  { asymmetry, learningRate }: { readonly asymmetry: number; readonly learningRate: number },
): TaskWeights {
  const [weights, firstLosses] = [array(tasks, 1), array(tasks)];
  return {
    weights: weights.values,
    state: { weights, firstLosses },
    afterStep({ losses, norms }, step) {
      if (step === 1) firstLosses.values.set(losses);
      const w = weights.values;
      const G = Array.from(norms!, (norm, t) => w[t]! * norm);
      const inverseRate = Array.from(losses, (loss, t) => loss / Math.max(firstLosses.values[t]!, smallest));
      const [meanG, meanRate] = [mean(G), mean(inverseRate)];
      // No gradient, nothing to balance.
      if (!(meanG > 0) || !(meanRate > 0)) return;
      for (let t = 0; t < tasks; t++) {
        const share = G[t]! / meanG;
        const isAbove = Math.sign(share - (inverseRate[t]! / meanRate) ** asymmetry);
        w[t]! *= Math.exp(-learningRate * isAbove * share);
      }
      const scale = tasks / w.reduce((sum, weight) => sum + weight, 0);
      for (let t = 0; t < tasks; t++) w[t]! *= scale;
    },
  };
}

/** As for the parameters of the model (learner.ts). */
const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
const smallest = 1e-30;

function array(length: number, value = 0): NamedArray {
  return { shape: [length], values: new Float32Array(length).fill(value) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
