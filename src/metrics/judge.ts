/** From a difference and its two sources of noise, test rows and seeds, to an interval and a verdict. */
import type { MetricReason } from "./measurement.ts";
import { pooled, pooledVariance, type SeedSpread } from "./seedSpread.ts";
import { studentQuantile } from "./student.ts";

/** The metrics that runs are compared by. */
export type ComparedMetric = "auc" | "logloss";

/** Of the candidate against the baseline. */
export type Verdict = "BETTER" | "WORSE" | "WITHIN_NOISE";

/**
 * Where the spread of seeds comes from: `MEASURED` from runs that differ in the seed, or, where there are none,
 * `ASSUMED` to be on each side as large as the error from its test rows.
 */
export type SpreadSource = "MEASURED" | "ASSUMED";

/** Why there is no verdict; `NO_INTERVAL`: there are values, but nothing tells their error. */
export type ComparisonReason = MetricReason | "NO_INTERVAL";

export interface CellComparison {
  readonly name: ComparedMetric;
  /** Means over the runs of a side; null where the metric does not exist. */
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Candidate − baseline. */
  readonly difference: number | null;
  /** Interval of the difference; over all cells compared at once it holds with 95 %. */
  readonly low: number | null;
  readonly high: number | null;
  /** Null together with the interval; `reason` says why. */
  readonly verdict: Verdict | null;
  readonly reason: ComparisonReason | null;
  readonly spread: SpreadSource | null;
}

export interface Evidence {
  readonly name: ComparedMetric;
  /** The metric of each run; at least one on a side. */
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
  /** Variance of the difference from the test rows. */
  readonly testVariance: number;
  /** Variance of each side's mean from the test rows, the other side aside: the stand-in for a spread unknown. */
  readonly sideVariances: readonly [number, number];
  /** Of other runs; those of the two sides are pooled in here. */
  readonly seedSpread: SeedSpread | null;
  /** Cells compared at once, from 1. */
  readonly cells: number;
}

const familyLevel = 0.05;

/**
 * d ± √(z² · test variance + t² · s² (1/nA + 1/nB)), s² being the variance between seeds, z the quantile of the normal
 * distribution and t that of Student's with the degrees of freedom of s²: an s² that few runs tell may be too small by
 * chance, and one common quantile (Welch–Satterthwaite) is too narrow just then. The level of a cell is Šidák's:
 * 1 − 0.95^(1/cells). An interval that leaves out 0 gives BETTER or WORSE; for logloss lower is better.
 */
export function judge({ name, testVariance, sideVariances, cells, ...evidence }: Evidence): CellComparison {
  const [baseline, candidate] = [meanOf(evidence.baseline), meanOf(evidence.candidate)];
  const difference = candidate - baseline;
  const measured = pooled([evidence.seedSpread, pooledVariance([evidence.baseline, evidence.candidate])]);
  const seedVariance = measured
    ? measured.variance * (1 / evidence.baseline.length + 1 / evidence.candidate.length)
    : sideVariances[0] + sideVariances[1];
  const level = -Math.expm1(Math.log1p(-familyLevel) / cells);
  const z = studentQuantile(1 - level / 2, Infinity);
  const t = studentQuantile(1 - level / 2, measured?.degreesOfFreedom ?? Infinity);
  const half = Math.sqrt(z ** 2 * testVariance + t ** 2 * seedVariance);
  // Two AUCs are never further apart than 1, however little is known.
  const bound = name === "auc" ? 1 : Infinity;
  const low = Math.max(-bound, difference - half);
  const high = Math.min(bound, difference + half);
  return {
    name,
    baseline,
    candidate,
    difference,
    low,
    high,
    verdict: verdictOf(low, high, name === "auc" ? "BETTER" : "WORSE"),
    reason: null,
    spread: measured ? "MEASURED" : "ASSUMED",
  };
}

/** A comparison that cannot be made; the means of a side, where it has them, are still told. */
export function notComparable(
  name: ComparedMetric,
  reason: ComparisonReason,
  baseline: number | null = null,
  candidate: number | null = null,
): CellComparison {
  const difference = baseline === null || candidate === null ? null : candidate - baseline;
  return { name, baseline, candidate, difference, low: null, high: null, verdict: null, reason, spread: null };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function verdictOf(low: number, high: number, whenHigher: "BETTER" | "WORSE"): Verdict {
  if (low > 0) return whenHigher;
  if (high < 0) return whenHigher === "BETTER" ? "WORSE" : "BETTER";
  return "WITHIN_NOISE";
}
