/** What each phase minimises: a scalar from parameters and one batch (spec §2). */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import { binaryCrossEntropy, gateRegulariser, softGates } from "../model/loss.ts";
import type { DrawnSites, ForwardResult, Model } from "../model/model.ts";
import type { Params } from "../plugin/contract.ts";
import { stopGradient } from "../plugin/layers.ts";

export interface StepInputs {
  /** What the losses here read: one embedding per field [batch, fields·e]; of a step: those gathered, [batch, ids·e]. */
  readonly features: Tensor2D;
  /** Read by `overFields` alone, where fields are not one id each: see FieldInputs. */
  readonly present?: Tensor2D;
  readonly numbers?: Tensor2D;
  /** [batch, S] */
  readonly scenarioOneHot: Tensor2D;
  /** [batch, T] */
  readonly labels: Tensor2D;
  /** Hard gates [batch, 4T] */
  readonly gates: Tensor2D;
  /** τ [1] */
  readonly temperature: Tensor;
  readonly masks: DrawnSites;
}

export interface StepLoss {
  /** Mean over the rows, of every task [T]. */
  readonly taskLosses: Tensor1D;
  /** A scalar that is added to them: regularisers and auxiliary losses. */
  readonly further?: Tensor;
  /** Next values of the buffers that were written. */
  readonly buffers: Readonly<Record<string, Tensor>>;
}

export type LossFunction = (p: Params, inputs: StepInputs) => StepLoss;

/** The loss of a step: before `loss` come the fields, whose parameters are trained with the rest. */
export function overFields({ features }: Pick<Model, "features">, loss: LossFunction): LossFunction {
  return (p, inputs) => loss(p, { ...inputs, features: features(p, { ...inputs, gathered: inputs.features }) });
}

/** Search with gates of rows: weights and soft gates together, with one λ per task; the gate network reads the embeddings but sends them no gradient. */
export function searchLoss(model: Model, lambdas: readonly number[]): LossFunction {
  const regularises = lambdas.some((lambda) => lambda !== 0);
  return (p, { features, scenarioOneHot, labels, temperature, masks }) => {
    const parts = model.partials!(p, { features, scenarioOneHot }, masks);
    const w = model.gateLogits!(p, { features: stopGradient(features), scenarioOneHot }, masks); // [batch, 4T]
    const g = softGates(w.output, temperature);
    const logits = model.gatedLogits!(parts.output, g);
    return {
      taskLosses: binaryCrossEntropy(logits, labels),
      ...furtherLoss(...ofBackbone(model, parts, logits), ...(regularises ? [gateRegulariser(g, lambdas)] : [])),
      buffers: { ...parts.buffers, ...w.buffers },
    };
  };
}

/** Retrain: gates are given with the rows; the gate network is not part of the step. */
export function retrainLoss(model: Model): LossFunction {
  return (p, { features, scenarioOneHot, labels, gates, masks }) => {
    const parts = model.partials!(p, { features, scenarioOneHot }, masks);
    const logits = model.gatedLogits!(parts.output, gates);
    return {
      taskLosses: binaryCrossEntropy(logits, labels),
      ...furtherLoss(...ofBackbone(model, parts, logits)),
      buffers: parts.buffers,
    };
  };
}

/**
 * Search with gates of cells: the retrain's loss, its gates drawn row by row, and what the own maps of all scenarios or all
 * tasks have in common, which is to go into the shared maps: else what a flow carries would be anybody's choice.
 */
export function cellSearchLoss(model: Model): LossFunction {
  const retrain = retrainLoss(model);
  return (p, inputs) => {
    const { further, ...rest } = retrain(p, inputs);
    return { ...rest, ...furtherLoss(...(further ? [further] : []), model.common!(p)) };
  };
}

export function towersLoss(model: Model): LossFunction {
  return (p, { features, scenarioOneHot, labels, masks }) => {
    const result = model.towers!(p, { features, scenarioOneHot }, masks);
    return {
      taskLosses: binaryCrossEntropy(result.output, labels),
      ...furtherLoss(...ofBackbone(model, result, result.output)),
      buffers: result.buffers,
    };
  };
}

/** The losses that the backbone brings. */
export function ofBackbone(model: Model, { auxiliaryLoss }: ForwardResult<unknown>, logits: Tensor2D): Tensor[] {
  return [...(auxiliaryLoss ? [auxiliaryLoss] : []), ...model.logitLosses(logits)];
}

export function furtherLoss(...terms: readonly Tensor[]): Pick<StepLoss, "further"> {
  return terms.length === 0 ? {} : { further: tf.addN([...terms]) };
}
