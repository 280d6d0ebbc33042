/** Made rows of one cell: what the tests of metrics run on. */
import { createRandom, type Random } from "../../src/random.ts";

export const floats = (...values: readonly number[]): Float32Array => Float32Array.from(values);

export interface MadeCell {
  readonly labels: Float32Array;
  /** Of two models that saw much the same [rows]. */
  readonly probabilities: Float32Array;
  readonly others: Float32Array;
  readonly groups: Int32Array;
}

/** Random rows with many ties: probabilities are multiples of 1/20, ends included. */
export function tiedCell(seed: number, rows = 400): MadeCell {
  const random = createRandom(seed, "tied cell");
  const grid = (x: number): number => Math.round(Math.min(1, Math.max(0, x)) * 20) / 20;
  const latent = Array.from({ length: rows }, () => random.uniform());
  return {
    labels: Float32Array.from(latent, (x) => Number(random.uniform() < x)),
    probabilities: Float32Array.from(latent, (x) => grid(x + 0.3 * random.normal())),
    others: Float32Array.from(latent, (x) => grid(x + 0.3 * random.normal())),
    groups: Int32Array.from(latent, () => random.bits() % 60),
  };
}

/** The AUC that `binormal` has: Φ(1/√2). */
export const binormalAuc = 0.7602499389065233;

/** Positive rows score one standard deviation above the negative ones; a third are positive. */
export function binormal(random: Random, rows: number): { probabilities: Float32Array; labels: Float32Array } {
  const labels = Float32Array.from({ length: rows }, () => Number(random.uniform() < 1 / 3));
  return { labels, probabilities: labels.map((y) => logistic(y + random.normal())) };
}

/** A model whose probabilities are true: uniform in [0.05, 0.95). */
export function calibrated(random: Random, rows: number): { probabilities: Float32Array; labels: Float32Array } {
  const probabilities = Float32Array.from({ length: rows }, () => 0.05 + 0.9 * random.uniform());
  return { probabilities, labels: probabilities.map((p) => Number(random.uniform() < p)) };
}

export function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
