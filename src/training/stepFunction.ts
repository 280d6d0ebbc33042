/** One training step as an engine compiles it: inputs → loss, gradients and next buffers. */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { InputSpecs, TensorFunction } from "../engine/engine.ts";
import { rowSlots } from "../model/rowSlots.ts";
import type { ModelSizes } from "../model/spec.ts";
import type { GradientRule } from "./lossBalancing/gradientRules.ts";
import type { LossFunction, StepInputs } from "./lossFunctions.ts";

/** What a step reads besides its batch. */
export interface StepArrays {
  /** With a gradient each. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly buffers: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Read as they are, without a gradient. */
  readonly frozen: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Dropout multipliers and noise [batch, width]. */
  readonly masks: readonly { readonly name: string; readonly width: number }[];
  /** How the losses of the tasks become one gradient. */
  readonly rule: GradientRule;
}

/** The inputs of a step on `rows` rows: "p/..." parameters and buffers, "mask/..." masks, "balance/..." what the rule reads. */
export function stepInputs(sizes: ModelSizes, arrays: StepArrays, rows: number): InputSpecs {
  const { parameters, buffers, frozen, masks, rule } = arrays;
  const { embeddingDim, scenarios, tasks } = sizes;
  const { ids, numbers, pooled } = rowSlots(sizes);
  return {
    features: { shape: [rows, ids * embeddingDim] },
    ...(pooled > 0 ? { present: { shape: [rows, pooled] } } : {}),
    ...(numbers > 0 ? { numbers: { shape: [rows, numbers] } } : {}),
    scenarioOneHot: { shape: [rows, scenarios] },
    labels: { shape: [rows, tasks] },
    gates: { shape: [rows, 4 * tasks] },
    temperature: { shape: [1] },
    ...Object.fromEntries([...parameters, ...buffers, ...frozen].map(({ name, shape }) => [`p/${name}`, { shape }])),
    ...Object.fromEntries(masks.map(({ name, width }) => [`mask/${name}`, { shape: [rows, width] }])),
    ...Object.fromEntries(Object.entries(rule.inputs).map(([name, spec]) => [`balance/${name}`, spec])),
  };
}

/**
 * Gives "loss", "featureGradients" (d loss / d features), "gradient/..." of all parameters, "buffer/..." and "balance/...",
 * what the rule measures.
 */
export function stepFunction(loss: LossFunction, arrays: StepArrays): TensorFunction {
  const names = arrays.parameters.map(({ name }) => name);
  const { rule } = arrays;
  return (inputs) => {
    const given = inputs as unknown as Omit<StepInputs, "features" | "masks">;
    const buffers = arrays.buffers.map(({ name }) => [name, inputs[`p/${name}`]!] as const);
    const frozen = arrays.frozen.map(({ name }) => [name, inputs[`p/${name}`]!] as const);
    const masks = Object.fromEntries(arrays.masks.map(({ name }) => [name, inputs[`mask/${name}`]!]));
    const lossOf = ([features, ...values]: readonly Tensor[]) => {
      const p = Object.fromEntries([...names.map((name, i) => [name, values[i]!] as const), ...buffers, ...frozen]);
      return loss(p, { ...given, features: features as Tensor2D, masks });
    };
    const ofRule = Object.fromEntries(Object.keys(rule.inputs).map((name) => [name, inputs[`balance/${name}`]!]));
    const xs = [inputs["features"]!, ...names.map((name) => inputs[`p/${name}`]!)];
    const result = rule.differentiate(lossOf, xs, ofRule);
    const { gradients, buffers: next, outputs } = result;
    return {
      loss: result.loss,
      featureGradients: gradients[0]!,
      ...Object.fromEntries(names.map((name, i) => [`gradient/${name}`, gradients[i + 1]!])),
      ...Object.fromEntries(buffers.map(([name, current]) => [`buffer/${name}`, next[name] ?? current.clone()])),
      ...Object.fromEntries(Object.entries(outputs).map(([name, x]) => [`balance/${name}`, x])),
    };
  };
}
