/** What a promotion rule says: data, kept as JSON. */

/** In each cell, or in the mean over the cells. */
export interface NotWorse<Kind extends string = "CELL_METRIC_NOT_WORSE" | "MEAN_METRIC_NOT_WORSE"> {
  readonly kind: Kind;
  readonly metric: "auc" | "logloss";
  /** By how much the candidate may be worse. */
  readonly tolerance: number;
  /** Broken only where the better end of the interval is worse than the tolerance as well. */
  readonly beyondNoise: boolean;
}

/** What a rule says, by its kind. Of log loss, ECE and normalised entropy less is better, of the others more. */
export type RuleTerms =
  | NotWorse<"CELL_METRIC_NOT_WORSE">
  | NotWorse<"MEAN_METRIC_NOT_WORSE">
  | {
      readonly kind: "METRIC_AT_LEAST";
      readonly metric: "auc" | "gauc" | "conditionalAuc" | "logloss" | "ece" | "normalisedEntropy";
      readonly over: "MEAN" | "WORST_CELL";
      readonly bound: number;
    }
  | { readonly kind: "LATENCY_P99_BELOW"; readonly milliseconds: number }
  | { readonly kind: "SAME_DATASET" };
