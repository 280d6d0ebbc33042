/** Runs against runs by their stored figures alone: for runs whose predictions are not there. */
import { intervalVariance } from "./intervalVariance.ts";
import { type CellComparison, type ComparedMetric, judge, meanOf, notComparable } from "./judge.ts";
import type { Measurement } from "./measurement.ts";
import type { SeedSpread } from "./seedSpread.ts";

export type Figure = Pick<Measurement, "value" | "low" | "high" | "reason">;

export interface CellFigures {
  readonly name: ComparedMetric;
  /** The metric of each run of the side, with its 95 % interval; at least one. */
  readonly baseline: readonly Figure[];
  readonly candidate: readonly Figure[];
  /** What other runs of the dataset tell of the spread between seeds; null: nothing. */
  readonly seedSpread: SeedSpread | null;
  /** Cells compared at once, from 1. */
  readonly cells: number;
}

/**
 * Candidate against baseline, the test rows of the two taken as unrelated: wider than a paired comparison where they
 * are the same. Runs of one side are taken to share their rows, so several are not surer than one.
 */
export function unpairedDifference({ name, seedSpread, cells, ...sides }: CellFigures): CellComparison {
  const [baseline, candidate] = [valuesOf(sides.baseline), valuesOf(sides.candidate)];
  if (!baseline || !candidate) {
    const missing = [...sides.baseline, ...sides.candidate].find(({ value }) => value === null);
    const [a, b] = [baseline, candidate].map((values) => (values ? meanOf(values) : null));
    return notComparable(name, missing?.reason ?? "NO_INTERVAL", a, b);
  }
  const variances = [varianceOf(sides.baseline), varianceOf(sides.candidate)] as const;
  if (variances[0] === null || variances[1] === null)
    return notComparable(name, "NO_INTERVAL", meanOf(baseline), meanOf(candidate));
  const sideVariances = [variances[0], variances[1]] as const;
  const testVariance = sideVariances[0] + sideVariances[1];
  return judge({ name, baseline, candidate, testVariance, sideVariances, seedSpread, cells });
}

/** Null when one of them does not exist. */
function valuesOf(figures: readonly Figure[]): number[] | null {
  const values = figures.flatMap(({ value }) => (value === null ? [] : [value]));
  return values.length === figures.length ? values : null;
}

/** Mean over the runs; null when one has no interval. */
function varianceOf(figures: readonly Figure[]): number | null {
  const variances = figures.flatMap(({ value, low, high }) =>
    value === null || low === null || high === null ? [] : [intervalVariance(value, low, high)],
  );
  return variances.length === figures.length ? meanOf(variances) : null;
}
