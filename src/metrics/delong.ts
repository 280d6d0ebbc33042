/**
 * AUC and its sampling variance: DeLong, DeLong & Clarke-Pearson, "Comparing the areas under two or more correlated
 * receiver operating characteristic curves", Biometrics 1988, by midranks in one pass over sorted rows as in Sun & Xu,
 * "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 2014.
 */
import type { Ascending } from "./order.ts";
import { sum } from "./sum.ts";

export interface DeLong {
  /** The share of pairs of a positive and a negative row in which the positive one scores higher, ties counting half. */
  readonly auc: number;
  /** m */
  readonly positives: number;
  /** n */
  readonly negatives: number;
  /**
   * Structural components [rows], in the order of the rows: of a positive row the share of negatives below it (V10), of
   * a negative row the share of positives above it (V01), ties counting half. Their mean over either class is the AUC.
   */
  readonly components: Float64Array;
}

/** Null when there is no positive or no negative row. Labels are 0 or 1 [rows]. */
export function delong({ order, keys }: Ascending, labels: Float32Array): DeLong | null {
  const rows = order.length;
  const { positives, negatives } = classCounts(labels);
  if (positives === 0 || negatives === 0) return null;
  const components = new Float64Array(rows);
  let positivesBelow = 0;
  let negativesBelow = 0;
  let halves = 0; // twice the pairs won: an integer, exact up to 2⁵³
  for (let start = 0; start < rows;) {
    let end = start;
    let tiedPositives = 0;
    while (end < rows && keys[end] === keys[start]) tiedPositives += labels[order[end++]!]!;
    const tiedNegatives = end - start - tiedPositives;
    const ofPositive = (negativesBelow + tiedNegatives / 2) / negatives;
    const ofNegative = (positives - positivesBelow - tiedPositives / 2) / positives;
    for (let i = start; i < end; i++) {
      const row = order[i]!;
      components[row] = labels[row] === 1 ? ofPositive : ofNegative;
    }
    halves += tiedPositives * (2 * negativesBelow + tiedNegatives);
    positivesBelow += tiedPositives;
    negativesBelow += tiedNegatives;
    start = end;
  }
  return { auc: halves / (2 * positives * negatives), positives, negatives, components };
}

export function classCounts(labels: Float32Array): { readonly positives: number; readonly negatives: number } {
  let positives = 0;
  for (let row = 0; row < labels.length; row++) positives += labels[row]!;
  return { positives, negatives: labels.length - positives };
}

/**
 * S10/m + S01/n: the variance of an AUC from its components, or of a difference of AUCs on the same rows (and of means
 * of AUCs) from the differences (means) of theirs. Null when a class has fewer than two rows.
 */
export function componentVariance(components: Float64Array, labels: Float32Array): number | null {
  const { positives, negatives } = classCounts(labels);
  if (positives < 2 || negatives < 2) return null;
  const ofPositives = new Float64Array(positives);
  const ofNegatives = new Float64Array(negatives);
  let [p, n] = [0, 0];
  for (let row = 0; row < components.length; row++)
    if (labels[row] === 1) ofPositives[p++] = components[row]!;
    else ofNegatives[n++] = components[row]!;
  return varianceOfMean(ofPositives) + varianceOfMean(ofNegatives);
}

/** Sample variance over the number of values, of which there are at least two. Overwrites `values`. */
export function varianceOfMean(values: Float64Array): number {
  const count = values.length;
  const mean = sum(values) / count;
  for (let i = 0; i < count; i++) values[i] = (values[i]! - mean) ** 2;
  return sum(values) / (count - 1) / count;
}
