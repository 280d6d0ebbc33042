/**
 * Percentile bootstrap over blocks of rows, so that it costs next to nothing at millions of rows. Rows go to at most
 * 1000 blocks by a fixed pseudo-random assignment, a block keeps the sums a metric is made of, and whole blocks are
 * drawn with replacement.
 *
 * Why this is sound: the assignment knows nothing of what is in a row. Blocks of independent rows are independent and
 * alike, so the sums over resampled blocks spread as the sums over resampled rows would; the metrics are ratios of
 * sums, so blocks need not be equally long. 1000 blocks give the variance to about √(2/1000) = 4.5 %, which is less than
 * the error of 200 resamples. Up to 1000 rows every row is a block of its own, and this is the ordinary bootstrap.
 */
import { createRandom } from "../random.ts";
import { type Interval, noInterval } from "./measurement.ts";

const maximumBlocks = 1000;
const resamples = 200;
const seed = 1;

/** The block of each unit (a row, or a group that may not be split) [units], in [0, blocks). */
export function assignBlocks(units: number): { readonly blocks: number; readonly blockOf: Uint16Array } {
  const blocks = Math.min(units, maximumBlocks);
  const blockOf = new Uint16Array(units);
  const random = createRandom(seed, "blocks");
  for (let unit = 0; unit < units; unit++) blockOf[unit] = units === blocks ? unit : random.bits() % blocks;
  return { blocks, blockOf };
}

/** Totals of 200 resamples [resamples][width] from the sums of the blocks [blocks, width]. */
export function resampledTotals(sums: Float64Array, width: number): Float64Array[] {
  const blocks = sums.length / width;
  const random = createRandom(seed, "bootstrap");
  return Array.from({ length: resamples }, () => {
    const totals = new Float64Array(width);
    for (let drawn = 0; drawn < blocks; drawn++) {
      const from = Math.floor(random.uniform() * blocks) * width;
      for (let i = 0; i < width; i++) totals[i]! += sums[from + i]!;
    }
    return totals;
  });
}

/**
 * The middle 95 % of a metric over resamples. Null where more than 2.5 % of the resamples do not have the metric (they
 * give null): an end of the interval would then be one of them.
 */
export function percentileInterval(values: readonly (number | null)[]): Interval {
  const present = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (present.length < 0.975 * values.length) return noInterval;
  return { low: quantile(present, 0.025), high: quantile(present, 0.975) };
}

/**
 * Below the k-th smallest of n values lies on average the share k / (n + 1); linear in between. (By k − 1 over n − 1, as
 * is usual for data, the ends of an interval from 200 resamples would lie at 3 % and 97 %.) There are enough values for
 * `share` to lie between the first and the last.
 */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length + 1) - 1;
  const below = Math.floor(place);
  const [a, b] = [sorted[below]!, sorted[below + 1]!];
  return a + (place - below) * (b - a);
}
