import { describe, expect, it } from "vitest";
import { pooled, pooledVariance } from "../../src/metrics/seedSpread.ts";

describe("the spread between seeds", () => {
  it("is the variance of a group of runs that differ in the seed", () => {
    expect(pooledVariance([[1, 2, 3]])).toEqual({ variance: 1, degreesOfFreedom: 2 });
  });

  it("is pooled over groups, each around its own mean", () => {
    // Squares around the means: 2 and 8, over 2 + 1 degrees of freedom.
    expect(pooledVariance([[1, 2, 3], [10, 14], [99]])).toEqual({ variance: 10 / 3, degreesOfFreedom: 3 });
  });

  it("is unknown where no group has two runs", () => {
    expect(pooledVariance([])).toBeNull();
    expect(pooledVariance([[1], [2]])).toBeNull();
  });

  it("from several sources is weighted by their degrees of freedom, what is unknown left out", () => {
    const known = { variance: 4, degreesOfFreedom: 3 };
    expect(pooled([known, null, { variance: 0, degreesOfFreedom: 1 }])).toEqual({ variance: 3, degreesOfFreedom: 4 });
    expect(pooled([null, null])).toBeNull();
  });
});
