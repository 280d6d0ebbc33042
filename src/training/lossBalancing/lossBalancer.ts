/**
 * Loss balancing in one training: the rule of its graph, what the graph reads for a step and measures in it, and what
 * must be remembered from step to step. None of it belongs to the model.
 */
import type { NamedArrays } from "../../model/checkpoint.ts";
import { createRandom } from "../../random.ts";
import { type GradientRule, sumOfLosses, weightedLosses, weightedLossesWithNorms } from "./gradientRules.ts";
import type { LossBalancing } from "./lossBalancing.ts";
import { fillTaskOrder, projectedGradients } from "./projectedGradients.ts";
import { fixedWeights, gradNormWeights, type TaskWeights, uncertaintyWeights } from "./taskWeights.ts";

export interface TaskWeight {
  readonly task: string;
  readonly weight: number;
}

type Values = Readonly<Record<string, Float32Array>>;

export interface LossBalancer {
  readonly rule: GradientRule;
  /** What the graph reads in the step of that number (from 0). Views. */
  inputs(step: number): Values;
  /** Where the graph writes what it measures. */
  readonly outputs: Values;
  /** After the step of that number (from 1): reads `outputs`. */
  afterStep(step: number): void;
  beginEpoch(): void;
  /** What each task weighed, on average over the steps of the epoch. */
  epochWeights(): readonly TaskWeight[];
  /** All that it remembers. Views. */
  readonly state: NamedArrays;
}

export interface LossBalancerOptions {
  /** Those whose losses there are, in their order. */
  readonly tasks: readonly string[];
  /** Of the parameters. */
  readonly learningRate: number;
  readonly seed: number;
}

export function createLossBalancer(balancing: LossBalancing, options: LossBalancerOptions): LossBalancer {
  const { tasks, learningRate, seed } = options;
  const T = tasks.length;
  switch (balancing.kind) {
    case "EQUAL":
      return unchanging(sumOfLosses, tasks, fixedWeights(tasks.map(() => 1)));
    case "FIXED": {
      const weightOf = (key: string) => balancing.weights.find(({ task }) => task === key)?.weight ?? 1;
      return unchanging(weightedLosses(T), tasks, fixedWeights(tasks.map(weightOf)));
    }
    case "UNCERTAINTY":
      return moving(weightedLosses(T), tasks, uncertaintyWeights(T, learningRate));
    case "GRADNORM":
      return moving(weightedLossesWithNorms(T), tasks, gradNormWeights(T, balancing));
    case "PCGRAD": {
      if (T < 2) return createLossBalancer({ kind: "EQUAL" }, options);
      const rule = projectedGradients(T);
      const order = new Float32Array((T - 1) * T * T);
      const outputs = outputsOf(rule);
      return recorded(tasks, outputs["coefficients"]!, {
        rule,
        outputs,
        inputs(step) {
          // A stream for every step, so that a training that goes on needs to know nothing but the step.
          fillTaskOrder(order, T, createRandom(seed, `order of tasks in step ${step}`));
          return { order };
        },
        afterStep: () => undefined,
        state: {},
      });
    }
    default:
      return balancing satisfies never;
  }
}

type Unrecorded = Omit<LossBalancer, "beginEpoch" | "epochWeights">;

/** Weights that stay as they are. */
function unchanging(rule: GradientRule, tasks: readonly string[], { weights }: TaskWeights): LossBalancer {
  return {
    rule,
    outputs: outputsOf(rule),
    inputs: (): Values => ("weights" in rule.inputs ? { weights } : {}),
    afterStep: () => undefined,
    beginEpoch: () => undefined,
    epochWeights: () => tasks.map((task, t) => ({ task, weight: weights[t]! })),
    state: {},
  };
}

function moving(rule: GradientRule, tasks: readonly string[], taskWeights: TaskWeights): LossBalancer {
  const { weights, state } = taskWeights;
  const outputs = outputsOf(rule);
  return recorded(tasks, weights, {
    rule,
    outputs,
    inputs: () => ({ weights }),
    afterStep: (step) => taskWeights.afterStep({ losses: outputs["losses"]!, norms: outputs["norms"]! }, step),
    state,
  });
}

/** Remembers the mean over the epoch of `weights`, which after a step are those of the step until `afterStep`. */
function recorded(tasks: readonly string[], weights: Float32Array, balancer: Unrecorded): LossBalancer {
  const [mean, steps] = [new Float32Array(tasks.length), new Float32Array(1)];
  return {
    ...balancer,
    afterStep(step) {
      steps[0]! += 1;
      for (let t = 0; t < mean.length; t++) mean[t]! += (weights[t]! - mean[t]!) / steps[0]!;
      balancer.afterStep(step);
    },
    beginEpoch() {
      mean.fill(0);
      steps.fill(0);
    },
    epochWeights: () => tasks.map((task, t) => ({ task, weight: mean[t]! })),
    state: {
      ...balancer.state,
      epochMean: { shape: [mean.length], values: mean },
      epochSteps: { shape: [1], values: steps },
    },
  };
}

function outputsOf({ outputs }: GradientRule): Values {
  return Object.fromEntries(Object.entries(outputs).map(([name, length]) => [name, new Float32Array(length)]));
}
