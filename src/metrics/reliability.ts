/** How well probabilities agree with what happened: the points of a reliability plot, and what they come to. */
import { ascending } from "./order.ts";
import { mean } from "./sum.ts";

export interface ReliabilityBin {
  readonly rows: number;
  /** Mean probability of its rows. */
  readonly predicted: number;
  /** Share of its rows with label 1. */
  readonly observed: number;
}

export interface Reliability {
  /** Ascending by probability; those without rows are left out. */
  readonly bins: readonly ReliabilityBin[];
  /** Mean probability. */
  readonly predicted: number;
  /** Share of label 1. */
  readonly observed: number;
  /** Expected calibration error: Σ over the bins of (its rows / rows) · |predicted − observed|. */
  readonly ece: number;
}

const wantedBins = 10;

/**
 * Over 10 bins of nearly equal numbers of rows by probability; a run of equal ones goes whole into the bin of its middle, so a
 * bin may be larger, or empty. There is at least one row, and all probabilities are finite.
 */
export function reliability(probabilities: Float32Array, labels: Float32Array): Reliability {
  const rows = probabilities.length;
  const { order, keys } = ascending(probabilities);
  const sums = Array.from({ length: wantedBins }, () => ({ rows: 0, predicted: 0, observed: 0 }));
  for (let start = 0; start < rows;) {
    let end = start + 1;
    while (end < rows && keys[end] === keys[start]) end++;
    const bin = sums[Math.floor((wantedBins * (start + end - 1)) / 2 / rows)]!;
    for (let i = start; i < end; i++) {
      bin.rows++;
      bin.predicted += probabilities[order[i]!]!;
      bin.observed += labels[order[i]!]!;
    }
    start = end;
  }
  const bins = sums
    .filter((bin) => bin.rows > 0)
    .map((bin) => ({ rows: bin.rows, predicted: bin.predicted / bin.rows, observed: bin.observed / bin.rows }));
  return {
    bins,
    predicted: mean(Float64Array.from(probabilities)),
    observed: mean(Float64Array.from(labels)),
    ece: bins.reduce((sum, bin) => sum + (bin.rows / rows) * Math.abs(bin.predicted - bin.observed), 0),
  };
}
