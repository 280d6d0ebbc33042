/** What folding the task side of effects needs and gives; the tasks that share a representation are folded together. */
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { CellTerms, Side } from "./cellTerms.ts";
import type { Constants } from "./constants.ts";
import type { HeadWeights } from "./headWeights.ts";

export interface EffectTasksOptions {
  readonly constants: Constants;
  readonly weights: HeadWeights;
  /** The tasks that read the representation. */
  readonly tasks: readonly number[];
  /** The scenarios that are served. */
  readonly scenarios: readonly number[];
  readonly terms: CellTerms;
}

/** What the task layers read [batch, out]: z = φ(s + p) and, where some cell needs it, φ(s). */
export type Sides = { readonly in: Tensor2D } & { readonly [S in Side]: Tensor2D | undefined };

/** Logits of the tasks [batch, tasks]. */
export type FoldedEffects = (p: Params, sides: Sides, scenario: Tensor1D | undefined) => Tensor2D;
