/** What is measured of one cell (scenario × task): the names of the metrics, and the form of a figure. Plain data. */

/**
 * - `auc`: area under the ROC curve, in [0, 1]; higher is better.
 * - `logloss`: mean of −ln of the probability given to what happened, in nats; lower is better.
 * - `calibration`: predicted over actual positives; 1 is best.
 * - `ece`: expected calibration error, in [0, 1]; lower is better.
 * - `normalisedEntropy`: logloss over that of always predicting the cell's share of positives; below 1 is better than that.
 * - `gauc`: AUC within groups, averaged by their rows, in [0, 1]; higher is better.
 * - `conditionalAuc`: of a task that counts only where another one is 1, the AUC of its probability over that of the other one,
 *   on the rows where the other one is 1, in [0, 1]; higher is better.
 */
export type MetricName = "auc" | "logloss" | "calibration" | "ece" | "normalisedEntropy" | "gauc" | "conditionalAuc";

/** Why a metric does not exist. */
export type MetricReason =
  | "NO_ROWS"
  /** All labels are the same, or for calibration there is no positive one. */
  | "ONE_CLASS"
  /** A probability is NaN or infinite. */
  | "NOT_FINITE"
  /** No group has rows of both classes. */
  | "NO_GROUPS";

export interface Measurement {
  readonly name: MetricName;
  /** Null where the metric does not exist; `reason` says why. */
  readonly value: number | null;
  /** Ends of the 95 % interval; both null where there is no value, or too little data for an interval. */
  readonly low: number | null;
  readonly high: number | null;
  readonly reason: MetricReason | null;
  /** Groups that counted; gauc only. */
  readonly groups: number | null;
}

export type Interval = Pick<Measurement, "low" | "high">;

export const noInterval: Interval = { low: null, high: null };

export function measured(name: MetricName, value: number, interval: Interval = noInterval): Measurement {
  return { name, value, low: interval.low, high: interval.high, reason: null, groups: null };
}

export function missing(name: MetricName, reason: MetricReason): Measurement {
  return { name, value: null, ...noInterval, reason, groups: null };
}
