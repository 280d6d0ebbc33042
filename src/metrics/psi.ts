/** The population stability index: how far rows of today are spread otherwise over bins than those a model was trained on. */
import { normalQuantile } from "./normal.ts";

export interface Stability {
  /** Σ (q − p)·ln(q / p), in nats, at least 0; 0 where both spread alike. Null where one side has no rows. */
  readonly psi: number | null;
  /** What chance alone stays below in 95 of 100 cases, were nothing different; null where one side has no rows. */
  readonly chance: number | null;
}

/** Rows that are added to every bin, so that an empty one has a logarithm. */
const smoothing = 0.5;

/**
 * `expected` and `actual` are rows by bin [bins]. Per bin p is its share of the expected rows and q that of the actual ones,
 * with half a row more in each: (rows + ½) / (all rows + bins / 2). Bins that are empty on both sides do not count, or smoothing
 * would make a difference of them where one side has more rows.
 *
 * The index is Kullback's divergence, made symmetric ("Information Theory and Statistics", 1959), and under this name from credit
 * scoring: N. Siddiqi, "Credit Risk Scorecards", 2006, from where also the bounds 0.1 and 0.25 are. Its spread by chance is that
 * of B. Yurdakul and J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation,
 * 2020: about (1/n + 1/m) · χ² with bins − 1 degrees of freedom.
 */
export function stability(expected: ArrayLike<number>, actual: ArrayLike<number>): Stability {
  const [n, m] = [total(expected), total(actual)];
  if (n === 0 || m === 0) return { psi: null, chance: null };
  const filled = Array.from(expected, (_, bin) => bin).filter((bin) => expected[bin]! + actual[bin]! > 0);
  const bins = filled.length;
  const psi = filled.reduce((sum, bin) => {
    const p = (expected[bin]! + smoothing) / (n + smoothing * bins);
    const q = (actual[bin]! + smoothing) / (m + smoothing * bins);
    return sum + (q - p) * Math.log(q / p);
  }, 0);
  const freedom = bins - 1;
  return { psi, chance: (1 / n + 1 / m) * (freedom + normalQuantile(0.95) * Math.sqrt(2 * freedom)) };
}

function total(rows: ArrayLike<number>): number {
  let sum = 0;
  for (let bin = 0; bin < rows.length; bin++) sum += rows[bin]!;
  return sum;
}
