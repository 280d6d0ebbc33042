/** How much a metric differs between trainings that differ only in their seed. */

export interface SeedSpread {
  /** Of the metric of one run. */
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/** The variance within groups of runs (each: one metric of runs that differ in the seed). Null without two in a group. */
export function pooledVariance(groups: readonly (readonly number[])[]): SeedSpread | null {
  return pooled(groups.filter(({ length }) => length >= 2).map(spreadOf));
}

/** One estimate from several of the same variance, weighted by their degrees of freedom. Null of none. */
export function pooled(spreads: readonly (SeedSpread | null)[]): SeedSpread | null {
  const known = spreads.filter((spread) => spread !== null);
  const degreesOfFreedom = known.reduce((sum, spread) => sum + spread.degreesOfFreedom, 0);
  if (degreesOfFreedom === 0) return null;
  const squares = known.reduce((sum, spread) => sum + spread.variance * spread.degreesOfFreedom, 0);
  return { variance: squares / degreesOfFreedom, degreesOfFreedom };
}

function spreadOf(values: readonly number[]): SeedSpread {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const degreesOfFreedom = values.length - 1;
  return { variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / degreesOfFreedom, degreesOfFreedom };
}
