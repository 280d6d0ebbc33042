/** The full description of one training run, as it is stored with the run and given to the training thread. */
import type { Cell } from "../data/onlyCell.ts";
import type { EngineName } from "../engine/engines.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { HyperParameters } from "./hyperParameters.ts";
import type { Budget } from "./pacer.ts";
import type { PruneRule } from "./pruneRule.ts";

export const runKinds = ["SEARCH", "PRUNE", "TRAIN", "EXTEND"] as const;
/**
 * SEARCH: weights and soft gates together. PRUNE: hard gates from a search, then retrain. TRAIN: towers, no gates. EXTEND:
 * scenarios or tasks added to a pruned model.
 */
export type RunKind = (typeof runKinds)[number];

export interface RunSpec {
  readonly kind: RunKind;
  readonly model: ModelSpec;
  readonly hyperParameters: HyperParameters;
  readonly seed: number;
  readonly engine: EngineName;
  /** PRUNE only; default: the threshold 0.5, row by row or cell by cell as the gates of the search are. */
  readonly prune?: PruneRule;
  /** The only cell it trains on; absent: all. */
  readonly cell?: Cell;
  /** It ends with the best model so far once one of these is used up. */
  readonly budget?: Budget;
  /** It is interrupted after this many epochs, to be gone on with. */
  readonly pauseAtEpoch?: number;
}
