/** Runs against runs on the same rows of one cell, paired row by row. Without predictions see unpaired.ts. */
import { aucVariance } from "./aucInterval.ts";
import { classCounts, componentVariance, delong, varianceOfMean } from "./delong.ts";
import { type CellComparison, type ComparedMetric, judge, meanOf, notComparable } from "./judge.ts";
import { rowLosses } from "./logLoss.ts";
import { unmeasurable } from "./measureCell.ts";
import { ascending } from "./order.ts";
import type { SeedSpread } from "./seedSpread.ts";
import { mean } from "./sum.ts";

export interface CellPredictions {
  /** 0 or 1 [rows]. */
  readonly labels: Float32Array;
  /** Probabilities of each run of the side, at least one, all on these rows in this order [runs][rows]. */
  readonly baseline: readonly Float32Array[];
  readonly candidate: readonly Float32Array[];
  /** What other runs of the dataset tell of the spread between seeds; null: nothing. Runs given here count by themselves. */
  readonly seedSpread: Readonly<Record<ComparedMetric, SeedSpread | null>>;
  /** Cells compared at once, from 1: the verdicts of all of them together hold with 95 %. */
  readonly cells: number;
}

/** One side: the metric of each run, and what each row adds to it, averaged over the runs [rows]. */
interface Side {
  readonly values: readonly number[];
  readonly rows: Float64Array;
  /** Of the mean of the values, from the test rows. */
  readonly variance: number;
}

/**
 * Candidate against baseline by AUC (paired DeLong) and by log-loss (differences row by row), in this order. Throws when
 * a side has no run, or a run has not one probability per row.
 */
export function compareCell(cell: CellPredictions): CellComparison[] {
  const runs = [...cell.baseline, ...cell.candidate];
  if (cell.baseline.length === 0 || cell.candidate.length === 0)
    throw new Error("compareCell: expected at least one run on a side, got none");
  const astray = runs.find(({ length }) => length !== cell.labels.length);
  if (astray) throw new Error(`compareCell: expected ${cell.labels.length} probabilities, got ${astray.length}`);
  const reason = runs.map(unmeasurable).find((found) => found !== null);
  if (reason) return [notComparable("auc", reason), notComparable("logloss", reason)];
  return [compareAuc(cell), compareLogLoss(cell)];
}

function compareAuc({ labels, seedSpread, cells, ...runs }: CellPredictions): CellComparison {
  const { positives, negatives } = classCounts(labels);
  if (positives === 0 || negatives === 0) return notComparable("auc", "ONE_CLASS");
  const [baseline, candidate] = [aucSide(runs.baseline, labels), aucSide(runs.candidate, labels)];
  const paired = componentVariance(differences(baseline, candidate), labels);
  // One row of a class, or no row that tells why the AUCs differ: the sides as if they had nothing to do with each other.
  const isBlind = paired === null || (paired === 0 && meanOf(baseline.values) !== meanOf(candidate.values));
  return judge({
    name: "auc",
    baseline: baseline.values,
    candidate: candidate.values,
    testVariance: isBlind ? baseline.variance + candidate.variance : paired,
    sideVariances: [baseline.variance, candidate.variance],
    seedSpread: seedSpread.auc,
    cells,
  });
}

function compareLogLoss({ labels, seedSpread, cells, ...runs }: CellPredictions): CellComparison {
  const { positives, negatives } = classCounts(labels);
  const [baseline, candidate] = [lossSide(runs.baseline, labels), lossSide(runs.candidate, labels)];
  // Nothing tells what rows of the other class would have added, so nothing tells the error either.
  if (positives === 0 || negatives === 0)
    return notComparable("logloss", "NO_INTERVAL", meanOf(baseline.values), meanOf(candidate.values));
  return judge({
    name: "logloss",
    baseline: baseline.values,
    candidate: candidate.values,
    testVariance: varianceOfMean(differences(baseline, candidate)),
    sideVariances: [baseline.variance, candidate.variance],
    seedSpread: seedSpread.logloss,
    cells,
  });
}

/** There are rows of both classes. */
function aucSide(runs: readonly Float32Array[], labels: Float32Array): Side {
  const values: number[] = [];
  const rows = new Float64Array(labels.length);
  let variance = 0;
  for (const run of runs) {
    const result = delong(ascending(run), labels)!;
    values.push(result.auc);
    add(rows, result.components, runs.length);
    // Runs of a side share their rows: the mean of several is not taken to be surer than one.
    variance += aucVariance(result, labels) / runs.length;
  }
  return { values, rows, variance };
}

function lossSide(runs: readonly Float32Array[], labels: Float32Array): Side {
  const values: number[] = [];
  const rows = new Float64Array(labels.length);
  for (const run of runs) {
    const losses = rowLosses(run, labels);
    values.push(mean(losses));
    add(rows, losses, runs.length);
  }
  return { values, rows, variance: varianceOfMean(rows.slice()) };
}

/** Adds `values` / `count` to `totals`. */
function add(totals: Float64Array, values: Float64Array, count: number): void {
  for (let row = 0; row < totals.length; row++) totals[row]! += values[row]! / count;
}

/** Candidate − baseline [rows]. */
function differences(baseline: Side, candidate: Side): Float64Array {
  return candidate.rows.map((value, row) => value - baseline.rows[row]!);
}
