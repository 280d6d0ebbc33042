/** The full description of one training run, as it is stored with the run and given to the training thread. */
import type { EngineName } from "../engine/engines.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { HyperParameters } from "./hyperParameters.ts";

export const runKinds = ["SEARCH", "PRUNE", "TRAIN"] as const;
/** SEARCH: weights and soft gates together. PRUNE: hard gates from a search, then retrain. TRAIN: towers, no gates. */
export type RunKind = (typeof runKinds)[number];

export interface RunSpec {
  readonly kind: RunKind;
  readonly model: ModelSpec;
  readonly hyperParameters: HyperParameters;
  readonly seed: number;
  readonly engine: EngineName;
  /** PRUNE only: a flow is removed where the gate the search ended with, σ(τw), is above this; the paper's rule is 0.5. */
  readonly pruneThreshold?: number;
}
