/**
 * Folds a head whose flows are effects, so whose gates are those of cells: only the y(a, b) of `cellTerms` that some cell
 * needs are computed. Where the scenarios' own maps are nowhere both in and out, that is one pass through the head.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import { type CellGate, type CellTerms, cellTerms } from "./cellTerms.ts";
import type { Constants } from "./constants.ts";
import { foldDeepEffects } from "./deepEffects.ts";
import type { EffectTasksOptions, Sides } from "./effectTasks.ts";
import { foldFlatEffects } from "./flatEffects.ts";
import { type LoraWeights, normed, normedBias } from "./headWeights.ts";
import { zeroMatrix } from "./linear.ts";
import { foldScenarioLayer, withOwnMapsOf } from "./scenarioLayer.ts";

export interface EffectsOptions extends Pick<EffectTasksOptions, "constants" | "weights" | "tasks"> {
  /** The only scenario that is served; undefined for all. */
  readonly only: number | undefined;
  readonly cellGate: CellGate;
}

/** From the representation [batch, in] and the scenario [batch] to the logits of the tasks [batch, tasks]. */
export function foldEffects({ constants, weights, only, tasks, cellGate }: EffectsOptions) {
  const scenarios = only === undefined ? weights.scenarioLayers[0]!.A.map((_, k) => k) : [only];
  const terms = cellTerms(cellGate, scenarios, tasks);
  if (!terms.keepsAny) {
    const nothing = constants.affine("head/nothing", zeroMatrix(weights.scenarioLayers[0]!.kernel.rows, tasks.length));
    return (p: Params, representation: Tensor2D): Tensor2D => nothing(p, representation);
  }
  const sidesOf = foldSides(constants, weights.scenarioLayers, only, terms);
  const fold = weights.taskLayers.length === 1 ? foldFlatEffects : foldDeepEffects;
  const logits = fold({ constants, weights, tasks, scenarios, terms });
  return (p: Params, representation: Tensor2D, scenario: Tensor1D | undefined): Tensor2D =>
    logits(p, sidesOf(p, representation, scenario), scenario);
}

/** The scenario layers with the own maps that count, and beside them, from the same representation, without. */
function foldSides(
  constants: Constants,
  layers: readonly LoraWeights[],
  only: number | undefined,
  { own, needsOut }: CellTerms,
): (p: Params, representation: Tensor2D, scenario: Tensor1D | undefined) => Sides {
  const [first, ...later] = layers.map((layer, j) => {
    const name = `head/scenario.${j}`;
    const aside = needsOut && j === 0; // later layers have an input of their own for it
    return {
      fold: foldScenarioLayer({ constants, name, layer: withOwnMapsOf(layer, own), only, aside }),
      shared:
        needsOut && j > 0
          ? constants.affine(`${name}.shared`, normed(layer, layer.kernel), normedBias(layer, layer.bias))
          : undefined,
    };
  });
  return (p, representation, scenario) => {
    let { z, aside } = first!.fold(p, representation, scenario);
    for (const { fold, shared } of later) {
      z = fold(p, z, scenario).z;
      aside = shared && tf.relu(shared(p, aside!));
    }
    return { in: z, out: aside };
  };
}
