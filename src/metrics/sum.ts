/** Sums of many float64 that are as exact as a float64 can be. */

/** Neumaier's compensated sum: the rounding error does not grow with the number of values. */
export function sum(values: Float64Array): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

export function mean(values: Float64Array): number {
  return sum(values) / values.length;
}
