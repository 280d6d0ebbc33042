/** A backbone under each head: one step of training, compiled as the trainer does it, without the update. */
import * as tf from "@tensorflow/tfjs";
import { createCompiledEngine } from "../engine/compiledEngine.ts";
import type { InputSpecs } from "../engine/engine.ts";
import { initialise, initialiseBuffers } from "../model/initialise.ts";
import { binaryCrossEntropy, softGates } from "../model/loss.ts";
import { buildModel, type Model, type ModelInputs } from "../model/model.ts";
import type { AutoIfsHead, HeadSpec } from "../model/spec.ts";
import type { BackbonePlugin, Params } from "../plugin/contract.ts";
import { stopGradient } from "../plugin/layers.ts";
import { makeRows, numbersFrom, setUp, toBatch } from "./trial.ts";

const rowCount = 6;
const layers = { scenarioLayers: [6], taskLayers: [], rank: 2, gateLayers: [6], batchNorm: false, dropout: 0 };
const heads: Readonly<Record<string, HeadSpec>> = {
  TOWERS: { kind: "TOWERS", layers: [6] },
  "AUTOIFS with gates of rows": { kind: "AUTOIFS", gates: "ROW", ...layers },
  "AUTOIFS with gates of cells": { kind: "AUTOIFS", gates: "CELL", ...layers },
};

/** The loss over some rows and all its gradients by name; a gradient that does not exist is zero. */
export interface StepUnderHead {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** By head. */
export async function trainUnderHeads(plugin: BackbonePlugin, config: unknown): Promise<Record<string, StepUnderHead>> {
  const trial = setUp(plugin, { config });
  const { features, scenarioOneHot } = toBatch(trial, makeRows(trial, rowCount));
  const random = numbersFrom(13);
  const labels = Float32Array.from({ length: rowCount * trial.sizes.tasks }, () => Number(random() > 0));
  const inputs = { features: valuesOf(features), scenarioOneHot: valuesOf(scenarioOneHot), labels };
  const backbone = { name: plugin.name, config: plugin.config.parse(config) };
  const results: Record<string, StepUnderHead> = {};
  for (const [name, head] of Object.entries(heads))
    results[name] = await step(buildModel({ backbone, head }, plugin, trial.sizes), head, inputs);
  return results;
}

async function step(
  model: Model,
  head: HeadSpec,
  inputs: Readonly<Record<"features" | "scenarioOneHot" | "labels", Float32Array>>,
): Promise<StepUnderHead> {
  const { fields, embeddingDim, scenarios, tasks } = model.sizes;
  const trained = { ...model.weights, ...model.gates };
  const names = Object.keys(trained);
  const specs: InputSpecs = {
    ...trained,
    ...model.buffers,
    features: { shape: [rowCount, fields * embeddingDim] },
    scenarioOneHot: { shape: [rowCount, scenarios] },
    labels: { shape: [rowCount, tasks] },
  };
  const program = await createCompiledEngine({ threads: 1 }).compile((given) => {
    const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const p = { ...given, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) };
      return lossOf(model, head, p, given as Params & ModelInputs & { labels: tf.Tensor2D });
    })(names.map((name) => given[name]!));
    const gradients = names.map((name, i) => [name, grads[i] ?? tf.zerosLike(given[name]!)] as const);
    return { loss: value, ...Object.fromEntries(gradients.map(([name, gradient]) => [`gradient ${name}`, gradient])) };
  }, specs);
  const arrays = Object.entries({ ...initialise(trained, 1), ...initialiseBuffers(model.buffers) });
  const outputs = await program.run({
    ...Object.fromEntries(arrays.map(([name, { values }]) => [name, values])),
    ...inputs,
  });
  const result = {
    loss: outputs["loss"]![0]!,
    gradients: Object.fromEntries(names.map((name) => [name, Float32Array.from(outputs[`gradient ${name}`]!)])),
  };
  await program.release();
  return result;
}

/** The loss of the tasks with everything the backbone adds, gates soft, dropout and noise left out. */
function lossOf(
  model: Model,
  head: HeadSpec,
  p: Params,
  { features, scenarioOneHot, labels }: ModelInputs & { readonly labels: tf.Tensor2D },
): tf.Scalar {
  const inputs = { features, scenarioOneHot };
  const drawn = {
    ...sites(model.dropout, (shape) => tf.ones(shape)),
    ...sites(model.noise, (shape) => tf.zeros(shape)),
  };
  const { logits, auxiliaryLoss } = head.kind === "TOWERS" ? ofTowers() : ofFlows(head);
  const further = [auxiliaryLoss, ...model.logitLosses(logits)].filter((loss) => loss !== undefined);
  return tf.addN([tf.sum(binaryCrossEntropy(logits, labels)), ...further]) as tf.Scalar;

  function ofTowers() {
    const { output, auxiliaryLoss } = model.towers!(p, inputs, drawn);
    return { logits: output, auxiliaryLoss };
  }

  function ofFlows({ gates }: AutoIfsHead) {
    const { output, auxiliaryLoss } = model.partials!(p, inputs, drawn);
    const read = { features: stopGradient(features), scenarioOneHot };
    const w = model.gateLogits!(p, read, drawn).output; // [batch, 4T]
    const losses = [auxiliaryLoss, gates === "CELL" ? model.common!(p) : undefined].filter(
      (loss) => loss !== undefined,
    );
    const logits = model.gatedLogits!(output, softGates(w, tf.scalar(1)));
    return { logits, auxiliaryLoss: losses.length > 0 ? tf.addN(losses) : undefined };
  }
}

function sites(
  declared: Readonly<Record<string, { readonly width: number }>>,
  make: (shape: [number, number]) => tf.Tensor,
): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(declared).map(([name, { width }]) => [name, make([rowCount, width])]));
}

function valuesOf(x: tf.Tensor): Float32Array {
  return x.dataSync() as Float32Array;
}
