/**
 * Whole models as one function from ids to probabilities, with their arrays as constants: as they are served, and as they
 * were searched, for comparison.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { CompileOptions, InputSpecs, TensorFunction } from "../engine/engine.ts";
import { type Checkpoint, modelSizes, type NamedArrays } from "../model/checkpoint.ts";
import { type FoldedModel, tablePrefix } from "../model/folding/foldModel.ts";
import { asGateFields, type FieldGroup, gateFieldsOf } from "../model/gateFields.ts";
import { initialise, initialiseBuffers } from "../model/initialise.ts";
import { softGates } from "../model/loss.ts";
import { buildModel, type Model } from "../model/model.ts";
import { rowSlots } from "../model/rowSlots.ts";
import type { ModelSizes } from "../model/spec.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";

export interface FrozenFunction {
  /**
   * ids int32 [batch, ids], numbers [batch, numbers] where there are any, scenario int32 [batch] → logits and probabilities
   * [batch, T], each where it is asked for.
   */
  readonly fn: TensorFunction;
  readonly inputs: InputSpecs;
  readonly constants: NonNullable<CompileOptions["constants"]>;
}

type Output = "probabilities" | "logits";

/** What such a function reads of rows besides their scenario. */
export function rowInputs(sizes: ModelSizes): InputSpecs {
  const { ids, numbers } = rowSlots(sizes);
  return {
    ids: { shape: ["batch", ids], dtype: "int32" },
    ...(numbers > 0 ? { numbers: { shape: ["batch", numbers] } } : {}),
  };
}

const inputsOf = (sizes: ModelSizes): InputSpecs => ({
  ...rowInputs(sizes),
  scenario: { shape: ["batch"], dtype: "int32" },
});

const outputOf = (logits: Tensor2D, output: Output): Record<string, Tensor> =>
  output === "logits" ? { logits } : { probabilities: tf.sigmoid(logits) };

/** The model as it is served. */
export function foldedFunction(model: FoldedModel, output: Output = "probabilities"): FrozenFunction {
  return {
    fn: (inputs) => {
      const [ids, numbers] = [inputs["ids"] as Tensor2D, inputs["numbers"] as Tensor2D | undefined];
      const rows = { ids, numbers, scenario: inputs["scenario"] as Tensor1D };
      return outputOf(model.logits(inputs, rows), output);
    },
    inputs: inputsOf(model.sizes),
    constants: model.constants,
  };
}

/**
 * The model as it was searched and as the official code serves it after the prune: all flows, the gate network and, once
 * the gates are hard, a second table for it. What a checkpoint with fixed gates has lost of these is made up.
 */
export function searchedFunction(
  checkpoint: Checkpoint,
  plugin: BackbonePlugin,
  output: Output = "probabilities",
): FrozenFunction {
  const { embeddingDim, gateRule } = checkpoint;
  const sizes = modelSizes(checkpoint);
  const model = buildModel(checkpoint.model, plugin, sizes);
  const arrays = asSearched(model, checkpoint);
  const gateFields = gateFieldsOf(arrays);
  const names = [model.weights, model.gates, model.buffers, gateFields].flatMap((part) => Object.keys(part));
  const slots = rowSlots(sizes);
  const tables = Object.entries(arrays).filter(([name]) => name === "embedding" || name === "gateEmbedding");
  const [scenarios, threshold] = [sizes.scenarios, gateRule?.kind === "HARD" ? gateRule.threshold : 0];
  return {
    fn(inputs) {
      const ids = inputs["ids"] as Tensor2D;
      const numbers = inputs["numbers"] as Tensor2D | undefined;
      const featuresOf = (table: string, group?: FieldGroup): Tensor2D => {
        const found = tf.gather(inputs[`${tablePrefix}${table}`]!, ids); // [batch, ids, e]
        const gathered: Tensor2D = tf.reshape(found, [-1, slots.ids * embeddingDim]);
        return model.features(inputs, { gathered, present: slots.present(ids), numbers }, group);
      };
      const features = featuresOf("embedding");
      // Not tf.oneHot, which refuses to have one column.
      const scenarioOneHot = tf.gather(tf.eye(scenarios), inputs["scenario"] as Tensor1D);
      if (model.towers) return outputOf(model.towers(inputs, { features, scenarioOneHot }).output, output);
      const group: FieldGroup = Object.keys(gateFields).length > 0 ? "gateFields" : "fields";
      const gateFeatures = arrays["gateEmbedding"] ? featuresOf("gateEmbedding", group) : features;
      const partials = model.partials!(inputs, { features, scenarioOneHot }).output;
      const w = model.gateLogits!(inputs, { features: gateFeatures, scenarioOneHot }).output;
      const gates =
        gateRule?.kind === "SOFT"
          ? softGates(w, tf.scalar(gateRule.temperature))
          : tf.cast<Tensor2D>(tf.greater(w, threshold), "float32");
      return outputOf(model.gatedLogits!(partials, gates), output);
    },
    inputs: inputsOf(sizes),
    constants: {
      ...Object.fromEntries(tables.map(([name, array]) => [`${tablePrefix}${name}`, array])),
      ...Object.fromEntries(names.map((name) => [name, arrays[name]!])),
    },
  };
}

function asSearched(model: Model, { model: { head }, arrays, gateRule }: Checkpoint): NamedArrays {
  if (gateRule?.kind !== "FIXED" || head.kind === "TOWERS") return arrays;
  if (head.gates === "CELL") {
    const w = Float32Array.from(gateRule.removed, (gate) => gate - 0.5);
    return { ...arrays, "gate/cells": { shape: model.gates["gate/cells"]!.shape, values: w } };
  }
  const embedding = arrays["embedding"]!;
  const gates = { ...initialise(model.gates, 1), ...initialiseBuffers(model.buffers) };
  const gateEmbedding = { shape: embedding.shape, values: embedding.values.slice() };
  return { ...gates, ...arrays, ...asGateFields(arrays), gateEmbedding };
}

export function bytesOf(constants: FrozenFunction["constants"], isCounted = (_name: string) => true): number {
  const counted = Object.entries(constants).filter(([name]) => isCounted(name));
  return counted.reduce((sum, [, { values }]) => sum + values.byteLength, 0);
}
