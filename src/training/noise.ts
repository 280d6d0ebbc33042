/** Normal numbers by the hundred thousand, as noise sites need them at every step. */
import { normalQuantile } from "../metrics/normal.ts";
import type { Random } from "../random.ts";

const levels = 65_536;
let quantiles: Float32Array | undefined;

/**
 * Fills `values` with normal numbers of mean 0 and this standard deviation, within ±4.3 of them: each is one of 65,536 quantiles,
 * two from one draw of 32 bits. Several times as fast as computing each from uniform numbers.
 */
export function fillNormal(values: Float32Array, std: number, random: Random): void {
  quantiles ??= Float32Array.from({ length: levels }, (_, i) => normalQuantile((i + 0.5) / levels));
  for (let i = 0; i < values.length; i += 2) {
    const bits = random.bits();
    values[i] = std * quantiles[bits & (levels - 1)]!;
    if (i + 1 < values.length) values[i + 1] = std * quantiles[bits >>> 16]!;
  }
}
