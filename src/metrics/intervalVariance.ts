/** Back from a 95 % interval to the variance it was made from. */
import { normalQuantile } from "./normal.ts";

const z = normalQuantile(0.975);

/**
 * That of a normal variable whose interval reaches as far as the longer side of this one: exact for a symmetric
 * interval, and not too small for one that ends at the edge of what is possible.
 */
export function intervalVariance(value: number, low: number, high: number): number {
  return (Math.max(value - low, high - value) / z) ** 2;
}
