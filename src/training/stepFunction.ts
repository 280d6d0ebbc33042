/** One training step as an engine compiles it: inputs → loss, gradients and next buffers. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { InputSpecs, TensorFunction } from "../engine/engine.ts";
import type { ModelSizes } from "../model/spec.ts";
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
}

/** The inputs of a step on `rows` rows: "p/..." parameters and buffers, "mask/..." masks. */
export function stepInputs(sizes: ModelSizes, arrays: StepArrays, rows: number): InputSpecs {
  const { parameters, buffers, frozen, masks } = arrays;
  const { fields, embeddingDim, scenarios, tasks } = sizes;
  return {
    features: { shape: [rows, fields * embeddingDim] },
    scenarioOneHot: { shape: [rows, scenarios] },
    labels: { shape: [rows, tasks] },
    gates: { shape: [rows, 4 * tasks] },
    temperature: { shape: [1] },
    ...Object.fromEntries([...parameters, ...buffers, ...frozen].map(({ name, shape }) => [`p/${name}`, { shape }])),
    ...Object.fromEntries(masks.map(({ name, width }) => [`mask/${name}`, { shape: [rows, width] }])),
  };
}

/** Gives "loss", "featureGradients" (d loss / d features), "gradient/..." of all parameters and "buffer/...". */
export function stepFunction(loss: LossFunction, arrays: StepArrays): TensorFunction {
  const names = arrays.parameters.map(({ name }) => name);
  return (inputs) => {
    const given = inputs as unknown as Omit<StepInputs, "features" | "masks">;
    const buffers = arrays.buffers.map(({ name }) => [name, inputs[`p/${name}`]!] as const);
    const frozen = arrays.frozen.map(({ name }) => [name, inputs[`p/${name}`]!] as const);
    const masks = Object.fromEntries(arrays.masks.map(({ name }) => [name, inputs[`mask/${name}`]!]));
    let next: Readonly<Record<string, Tensor>> = {};
    const { value, grads } = tf.valueAndGrads((...tensors: Tensor[]) => {
      const [features, ...values] = tensors;
      const p = Object.fromEntries([...names.map((name, i) => [name, values[i]!] as const), ...buffers, ...frozen]);
      const result = loss(p, { ...given, features: features as Tensor2D, masks });
      next = Object.fromEntries(Object.entries(result.buffers).map(([name, x]) => [name, tf.keep(x)]));
      const ofTasks = tf.sum(result.taskLosses);
      return (result.further ? tf.add(ofTasks, result.further) : ofTasks) as tf.Scalar;
    })([inputs["features"]!, ...names.map((name) => inputs[`p/${name}`]!)]);
    return {
      loss: value,
      featureGradients: grads[0]!,
      ...Object.fromEntries(names.map((name, i) => [`gradient/${name}`, grads[i + 1]!])),
      ...Object.fromEntries(buffers.map(([name, current]) => [`buffer/${name}`, next[name] ?? current.clone()])),
    };
  };
}
