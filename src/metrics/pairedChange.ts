/** What a change of a model does to one cell: before and after on the same rows. The noise of seeds is no part of it. */
import { aucVariance } from "./aucInterval.ts";
import { classCounts, componentVariance, delong, type DeLong, varianceOfMean } from "./delong.ts";
import type { ComparisonReason } from "./judge.ts";
import { rowLosses } from "./logLoss.ts";
import { unmeasurable } from "./measureCell.ts";
import { normalQuantile } from "./normal.ts";
import { ascending } from "./order.ts";
import { mean } from "./sum.ts";

export interface Change {
  /** After − before; null where the metric does not exist. */
  readonly value: number | null;
  /** Ends of the 95 % interval of the value, from the rows alone; null where nothing tells them. */
  readonly low: number | null;
  readonly high: number | null;
  /** Why there is no value or no interval; null where there are both. */
  readonly reason: ComparisonReason | null;
}

/** By area under the curve (paired DeLong), and by mean log-loss (row by row). */
export interface CellChanges {
  readonly auc: Change;
  readonly logloss: Change;
}

const z = normalQuantile(0.975);

/** Measures `before` once, for any number of changes. Probabilities and labels (0 or 1), all [rows]. */
export function changesFrom(before: Float32Array, labels: Float32Array): (after: Float32Array) => CellChanges {
  const { positives, negatives } = classCounts(labels);
  const isOneClass = positives === 0 || negatives === 0;
  const unmeasured = unmeasurable(before);
  const area = unmeasured === null ? delong(ascending(before), labels) : null;
  const losses = unmeasured === null ? rowLosses(before, labels) : new Float64Array();
  return (after) => {
    const reason = unmeasured ?? unmeasurable(after);
    if (reason !== null) return { auc: nothing(reason), logloss: nothing(reason) };
    return {
      auc: area ? aucChange(area, delong(ascending(after), labels)!, labels) : nothing("ONE_CLASS"),
      logloss: loglossChange(losses, rowLosses(after, labels), isOneClass),
    };
  };
}

function aucChange(before: DeLong, after: DeLong, labels: Float32Array): Change {
  const value = after.auc - before.auc;
  const half = z * Math.sqrt(differenceVariance(before, after, labels));
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half), reason: null };
}

function loglossChange(before: Float64Array, after: Float64Array, isOneClass: boolean): Change {
  const value = mean(after) - mean(before);
  // Nothing tells what rows of the other class would have added, so nothing tells the error either.
  if (isOneClass) return { value, low: null, high: null, reason: "NO_INTERVAL" };
  const half = z * Math.sqrt(varianceOfMean(after.map((loss, row) => loss - before[row]!)));
  return { value, low: value - half, high: value + half, reason: null };
}

/** One row of a class, or no row that tells why the AUCs differ: the two as if they had nothing to do with each other. */
function differenceVariance(before: DeLong, after: DeLong, labels: Float32Array): number {
  const differences = after.components.map((component, row) => component - before.components[row]!);
  const paired = componentVariance(differences, labels);
  const isBlind = paired === null || (paired === 0 && after.auc !== before.auc);
  return isBlind ? aucVariance(before, labels) + aucVariance(after, labels) : paired;
}

function nothing(reason: ComparisonReason): Change {
  return { value: null, low: null, high: null, reason };
}
