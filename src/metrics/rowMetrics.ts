/** The metrics that are made of sums over rows: log-loss, calibration, expected calibration error, normalised entropy. */
import { assignBlocks, percentileInterval, resampledTotals } from "./bootstrap.ts";
import { entropy, rowLosses } from "./logLoss.ts";
import { type Interval, measured, type Measurement, missing, noInterval } from "./measurement.ts";
import type { Ascending } from "./order.ts";
import { mean } from "./sum.ts";

const bins = 20;

/** Where the sums of a block, and of all rows, stand. From `excess` on, per bin: predicted minus actual positives. */
const at = { rows: 0, predicted: 1, actual: 2, loss: 3, excess: 4 } as const;
const width = at.excess + bins;

/**
 * - log-loss: mean of −ln p(label).
 * - calibration: Σp / Σy; does not exist without positives.
 * - ece: Σ over bins of (rows of the bin / rows) · |mean p − mean y|, over 20 bins of nearly equal numbers of rows by
 *   score. A run of equal scores goes whole into the bin of its middle, so a bin may be larger, or empty.
 * - normalised entropy: log-loss / entropy of the share of positives (He et al., "Practical lessons from predicting
 *   clicks on ads at Facebook", ADKDD 2014); does not exist when all labels are the same.
 *
 * Intervals are of the block bootstrap; that of ece is about its expectation at this number of rows, see `centred`.
 * Where all labels are the same there are none: nothing tells what the rows of the other class would have added. There
 * is at least one row.
 */
export function rowMetrics(
  { order, keys }: Ascending,
  probabilities: Float32Array,
  labels: Float32Array,
): Measurement[] {
  const rows = order.length;
  const losses = rowLosses(probabilities, labels);
  const { blocks, blockOf } = assignBlocks(rows);
  const sums = new Float64Array(blocks * width);
  for (let start = 0; start < rows;) {
    let end = start + 1;
    while (end < rows && keys[end] === keys[start]) end++;
    const bin = Math.floor((bins * (start + end - 1)) / 2 / rows);
    for (let i = start; i < end; i++) {
      const row = order[i]!;
      const block = blockOf[row]! * width;
      const [p, y] = [probabilities[row]!, labels[row]!];
      sums[block + at.rows]!++;
      sums[block + at.predicted]! += p;
      sums[block + at.actual]! += y;
      sums[block + at.loss]! += losses[row]!;
      sums[block + at.excess + bin]! += p - y;
    }
    start = end;
  }

  const totals = new Float64Array(width);
  for (let i = 0; i < sums.length; i++) totals[i % width]! += sums[i]!;
  const share = totals[at.actual]! / rows;
  const hasBothClasses = share > 0 && share < 1;
  const drawn = hasBothClasses ? resampledTotals(sums, width) : [];
  const interval = (metric: (totals: Float64Array) => number | null): Interval =>
    hasBothClasses ? percentileInterval(drawn.map(metric)) : noInterval;
  const logloss = mean(losses);
  return [
    measured("logloss", logloss, interval(loglossOf)),
    share === 0
      ? missing("calibration", "ONE_CLASS")
      : measured("calibration", totals[at.predicted]! / totals[at.actual]!, interval(calibrationOf)),
    measured("ece", eceOf(totals), hasBothClasses ? centred(drawn.map(eceOf), eceOf(totals)) : noInterval),
    hasBothClasses
      ? measured("normalisedEntropy", logloss / entropy(share), interval(normalisedEntropyOf))
      : missing("normalisedEntropy", "ONE_CLASS"),
  ];
}

function loglossOf(totals: Float64Array): number {
  return totals[at.loss]! / totals[at.rows]!;
}

function calibrationOf(totals: Float64Array): number | null {
  return totals[at.actual] === 0 ? null : totals[at.predicted]! / totals[at.actual]!;
}

function normalisedEntropyOf(totals: Float64Array): number | null {
  const base = entropy(totals[at.actual]! / totals[at.rows]!);
  return base === 0 ? null : loglossOf(totals) / base;
}

function eceOf(totals: Float64Array): number {
  let apart = 0;
  for (let bin = 0; bin < bins; bin++) apart += Math.abs(totals[at.excess + bin]!);
  return apart / totals[at.rows]!;
}

/**
 * Resampling adds noise to every bin, and |·| makes of noise a worse calibration: resamples lie above the sample by
 * about as much as the sample lies above the truth. Without that shift the interval would often leave out the value.
 */
function centred(values: readonly number[], value: number): Interval {
  const shift = mean(Float64Array.from(values)) - value;
  const { low, high } = percentileInterval(values);
  return { low: Math.max(0, low! - shift), high: high! - shift };
}
