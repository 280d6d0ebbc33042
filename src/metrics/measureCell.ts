/** The metrics of one cell (scenario × task), exact, each with a 95 % interval: the door of this folder for measuring. */
import { aucInterval } from "./aucInterval.ts";
import { delong } from "./delong.ts";
import { groupedAuc } from "./groupedAuc.ts";
import { rowLosses } from "./logLoss.ts";
import { measured, type Measurement, type MetricName, type MetricReason, missing } from "./measurement.ts";
import { ascending, type Ascending } from "./order.ts";
import { rowMetrics } from "./rowMetrics.ts";
import { mean } from "./sum.ts";

export interface CellRows {
  /** In [0, 1] [rows]. */
  readonly probabilities: Float32Array;
  /** 0 or 1 [rows]. */
  readonly labels: Float32Array;
  /** The group of each row, a number from 0 [rows]; absent: no gauc. */
  readonly groups?: Int32Array | undefined;
}

/**
 * All metrics in the order of `MetricName`: the AUC with DeLong's interval, the others with that of a block bootstrap
 * whose seed is fixed. The rows are sorted once. The same rows give bitwise the same figures.
 */
export function measureCell({ probabilities, labels, groups }: CellRows): Measurement[] {
  const names: MetricName[] = ["auc", "logloss", "calibration", "ece", "normalisedEntropy"];
  const reason = unmeasurable(probabilities);
  if (reason !== null) return [...names, ...(groups ? (["gauc"] as const) : [])].map((name) => missing(name, reason));
  const sorted = ascending(probabilities);
  return [
    areaUnderCurve(sorted, labels),
    ...rowMetrics(sorted, probabilities, labels),
    ...(groups ? [groupedAuc(sorted, labels, groups)] : []),
  ];
}

/** AUC and log-loss without intervals, the same values as those of `measureCell`. */
export function measureQuickly({ probabilities, labels }: CellRows): Measurement[] {
  const reason = unmeasurable(probabilities);
  if (reason !== null) return [missing("auc", reason), missing("logloss", reason)];
  const auc = delong(ascending(probabilities), labels)?.auc;
  return [
    auc === undefined ? missing("auc", "ONE_CLASS") : measured("auc", auc),
    measured("logloss", mean(rowLosses(probabilities, labels))),
  ];
}

/** Why nothing can be said of these probabilities; null when something can. */
export function unmeasurable(probabilities: Float32Array): MetricReason | null {
  if (probabilities.length === 0) return "NO_ROWS";
  return probabilities.every(Number.isFinite) ? null : "NOT_FINITE";
}

function areaUnderCurve(sorted: Ascending, labels: Float32Array): Measurement {
  const result = delong(sorted, labels);
  return result === null ? missing("auc", "ONE_CLASS") : measured("auc", result.auc, aucInterval(result, labels));
}
