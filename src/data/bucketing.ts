/** From a number to the small integer it is counted as. Pure functions; what needs the training rows is in vocabulary.ts. */
import type { Bucketing } from "./spec.ts";

/** A bucketing that needs no more data: quantiles have become boundaries. What stays a number has no buckets. */
export type FittedBucketing = Exclude<Bucketing, { readonly kind: "QUANTILES" | "VALUE" }>;

/** How a number is written in a file and in a prediction, as a pattern for both JavaScript and DuckDB. */
export const numberPattern = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?";

const wholeNumber = new RegExp(`^${numberPattern}$`);

/** Undefined when the text is not a finite decimal number. */
export function parseNumber(text: string): number | undefined {
  const value = wholeNumber.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const lowest = -(2 ** 31); // numbers below share this bucket

/** The bucket of a finite number; different bucketings number theirs differently. */
export function bucketOf(bucketing: FittedBucketing, value: number): number {
  switch (bucketing.kind) {
    case "LOG_SQUARED":
      // `+ 0` turns -0 into 0.
      return value > 2 ? logSquared(value) : Math.max(Math.trunc(value), lowest) + 0;
    case "BOUNDARIES":
      return boundariesUpTo(bucketing.boundaries, value);
    default:
      return bucketing satisfies never;
  }
}

function logSquared(value: number): number {
  return Math.floor(Math.log(value) ** 2);
}

/** How many of the ascending boundaries are at most `value`. */
function boundariesUpTo(boundaries: readonly number[], value: number): number {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (boundaries[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The buckets as intervals: bucket i begins at `start` and ends where the next one begins. */
export interface BucketStart {
  readonly start: number;
  readonly bucket: number;
}

/**
 * The same function as `bucketOf` as a table, for numbers up to `largest`, so that DuckDB only compares numbers and never
 * computes a logarithm of its own, which may differ in the last bit. For LOG_SQUARED it holds above 2.
 */
export function bucketStarts(bucketing: FittedBucketing, largest: number): BucketStart[] {
  const starts: BucketStart[] = [{ start: Number.NEGATIVE_INFINITY, bucket: 0 }];
  switch (bucketing.kind) {
    case "LOG_SQUARED": {
      const last = largest > 2 ? logSquared(largest) : 0;
      for (let bucket = 1; bucket <= last; bucket++) starts.push({ start: smallestOf(bucket), bucket });
      return starts;
    }
    case "BOUNDARIES":
      bucketing.boundaries.forEach((start, index) => starts.push({ start, bucket: index + 1 }));
      return starts;
    default:
      return bucketing satisfies never;
  }
}

/** The smallest number whose logSquared is at least `bucket`, exact to the last bit. */
function smallestOf(bucket: number): number {
  let value = Math.exp(Math.sqrt(bucket)); // right but for a few units in the last place
  while (logSquared(value) >= bucket) value = nextDouble(value, -1);
  while (logSquared(value) < bucket) value = nextDouble(value, 1);
  return value;
}

/** The neighbour of a positive finite number. */
function nextDouble(value: number, direction: 1 | -1): number {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0]! += BigInt(direction);
  return new Float64Array(bits.buffer)[0]!;
}
