/** The 95 % interval of an AUC, also where DeLong's variance says nothing. */
import { componentVariance, type DeLong } from "./delong.ts";
import { intervalVariance } from "./intervalVariance.ts";
import { normalQuantile } from "./normal.ts";

const z = normalQuantile(0.975);

/**
 * Symmetric on the logit scale, so that it stays inside (0, 1): logit(AUC) ± z·s / (AUC (1 − AUC)) with DeLong's s.
 * Where a class has one row there is no such s, and at an AUC of 0 or 1 it is 0 however few the rows: there the
 * interval is Newcombe's. Scores that are all equal have the AUC ½ in every sample, and the interval [½, ½].
 */
export function aucInterval(delong: DeLong, labels: Float32Array): { readonly low: number; readonly high: number } {
  const { auc } = delong;
  const variance = componentVariance(delong.components, labels);
  if (variance === null || auc === 0 || auc === 1) return newcombe(delong);
  const logit = Math.log(auc / (1 - auc));
  const half = (z * Math.sqrt(variance)) / (auc * (1 - auc));
  return { low: logistic(logit - half), high: logistic(logit + half) };
}

/** DeLong's variance of one AUC; where it says nothing, what Newcombe's interval tells. */
export function aucVariance(delong: DeLong, labels: Float32Array): number {
  const { auc } = delong;
  const variance = auc === 0 || auc === 1 ? null : componentVariance(delong.components, labels);
  if (variance !== null) return variance;
  const { low, high } = newcombe(delong);
  return intervalVariance(auc, low, high);
}

/**
 * Newcombe, "Confidence intervals for an effect size measure based on the Mann–Whitney statistic, part 2", Statistics
 * in Medicine 2006, method 5: all θ that are within z standard errors of the AUC, the error being Hanley and McNeil's
 * at θ itself, with the mean of m and n for either.
 */
function newcombe({ auc, positives, negatives }: DeLong): { readonly low: number; readonly high: number } {
  const more = (positives + negatives) / 2 - 1;
  const isWithin = (theta: number): boolean => {
    const factor = 1 + more * ((1 - theta) / (2 - theta) + theta / (1 + theta));
    const variance = (theta * (1 - theta) * factor) / (positives * negatives);
    return (auc - theta) ** 2 <= z * z * variance;
  };
  return { low: auc === 0 ? 0 : edge(isWithin, auc, 0), high: auc === 1 ? 1 : edge(isWithin, auc, 1) };
}

/** The point between `outside` and `inside` where `isWithin` changes, by halving. */
function edge(isWithin: (theta: number) => boolean, inside: number, outside: number): number {
  for (let i = 0; i < 60; i++) {
    const middle = (inside + outside) / 2;
    if (isWithin(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
