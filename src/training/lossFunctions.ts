/** What each phase minimises: a scalar from parameters and one batch (spec §2). */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { binaryCrossEntropy, gateRegulariser, softGates } from "../model/loss.ts";
import { type DropoutMasks, gatedLogits, type Model } from "../model/model.ts";
import type { Params } from "../plugin/contract.ts";
import { stopGradient } from "../plugin/layers.ts";

export interface StepInputs {
  /** Gathered embeddings [batch, fields·e] */
  readonly features: Tensor2D;
  /** [batch, S] */
  readonly scenarioOneHot: Tensor2D;
  /** [batch, T] */
  readonly labels: Tensor2D;
  /** Hard gates [batch, 4T] */
  readonly gates: Tensor2D;
  /** τ [1] */
  readonly temperature: Tensor;
  readonly masks: DropoutMasks;
}

export type LossFunction = (
  p: Params,
  inputs: StepInputs,
) => { readonly loss: Tensor; readonly buffers: Readonly<Record<string, Tensor>> };

/** Search with gates of rows: weights and soft gates together, with one λ per task; the gate network reads the embeddings but sends them no gradient. */
export function searchLoss(model: Model, lambdas: readonly number[]): LossFunction {
  const regularises = lambdas.some((lambda) => lambda !== 0);
  return (p, { features, scenarioOneHot, labels, temperature, masks }) => {
    const parts = model.partials!(p, { features, scenarioOneHot }, masks);
    const w = model.gateLogits!(p, { features: stopGradient(features), scenarioOneHot }, masks); // [batch, 4T]
    const g = softGates(w.output, temperature);
    const bce = binaryCrossEntropy(gatedLogits(parts.output, g), labels);
    const regularised = regularises ? tf.add(bce, gateRegulariser(g, lambdas)) : bce;
    return { loss: withAuxiliary(regularised, parts.auxiliaryLoss), buffers: { ...parts.buffers, ...w.buffers } };
  };
}

/** Retrain: gates are given with the rows; the gate network is not part of the step. */
export function retrainLoss(model: Model): LossFunction {
  return (p, { features, scenarioOneHot, labels, gates, masks }) => {
    const { output, auxiliaryLoss, buffers } = model.partials!(p, { features, scenarioOneHot }, masks);
    return { loss: withAuxiliary(binaryCrossEntropy(gatedLogits(output, gates), labels), auxiliaryLoss), buffers };
  };
}

/**
 * Search with gates of cells: the retrain's loss, its gates drawn row by row, and what the own maps of all scenarios or all
 * tasks have in common, which is to go into the shared maps: else what a flow carries would be anybody's choice.
 */
export function cellSearchLoss(model: Model): LossFunction {
  const retrain = retrainLoss(model);
  return (p, inputs) => {
    const { loss, buffers } = retrain(p, inputs);
    return { loss: tf.add(loss, model.common!(p)), buffers };
  };
}

export function towersLoss(model: Model): LossFunction {
  return (p, { features, scenarioOneHot, labels, masks }) => {
    const { output, auxiliaryLoss, buffers } = model.towers!(p, { features, scenarioOneHot }, masks);
    return { loss: withAuxiliary(binaryCrossEntropy(output, labels), auxiliaryLoss), buffers };
  };
}

function withAuxiliary(loss: Tensor, auxiliary: Tensor | undefined): Tensor {
  return auxiliary ? tf.add(loss, auxiliary) : loss;
}
