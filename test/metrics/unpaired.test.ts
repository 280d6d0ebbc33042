import { describe, expect, it } from "vitest";
import { type CellFigures, type Figure, unpairedDifference } from "../../src/metrics/unpaired.ts";

/** A figure with the standard error `error`, as far as a symmetric 95 % interval tells it. */
function figure(value: number, error: number): Figure {
  return { value, low: value - 1.959963984540054 * error, high: value + 1.959963984540054 * error, reason: null };
}

const certain = { variance: 0, degreesOfFreedom: 1e9 };
const common = { name: "auc", seedSpread: certain, cells: 1 } as const satisfies Partial<CellFigures>;

describe("comparing runs by their figures alone", () => {
  it("adds the variances of both sides", () => {
    const sides = { baseline: [figure(0.7, 0.003)], candidate: [figure(0.72, 0.004)] };
    const comparison = unpairedDifference({ ...common, ...sides });
    expect(comparison).toMatchObject({ baseline: 0.7, candidate: 0.72, verdict: "BETTER", spread: "MEASURED" });
    expect(comparison.difference).toBeCloseTo(0.02, 12);
    expect(comparison.high! - comparison.difference!).toBeCloseTo(1.959963984540054 * 0.005, 10);
  });

  it("knows that a lower log-loss is better", () => {
    const sides = { baseline: [figure(0.7, 0.003)], candidate: [figure(0.72, 0.004)] };
    expect(unpairedDifference({ ...common, ...sides, name: "logloss" }).verdict).toBe("WORSE");
  });

  it("does not take several runs on the same rows for surer, but measures the spread of seeds by them", () => {
    const baseline = [figure(0.69, 0.01), figure(0.71, 0.01)];
    const comparison = unpairedDifference({ ...common, seedSpread: null, baseline, candidate: [figure(0.72, 0.01)] });
    expect(comparison).toMatchObject({ verdict: "WITHIN_NOISE", spread: "MEASURED" });
    // s² = 2e-4 times 1/2 + 1, at t of 1 degree of freedom; test rows 2e-4, at the normal quantile.
    const half = Math.sqrt(1.959963984540054 ** 2 * 2e-4 + 12.706204736174698 ** 2 * 3e-4);
    expect(comparison.high! - comparison.difference!).toBeCloseTo(half, 8);
  });

  it("without any knowledge of seeds doubles the variance, and says that this is assumed", () => {
    const sides = { baseline: [figure(0.7, 0.003)], candidate: [figure(0.72, 0.004)] };
    const comparison = unpairedDifference({ ...common, ...sides, seedSpread: null });
    expect(comparison.spread).toBe("ASSUMED");
    expect(comparison.high! - comparison.difference!).toBeCloseTo(1.959963984540054 * 0.005 * Math.SQRT2, 10);
  });
});

describe("figures that cannot be compared", () => {
  const missing: Figure = { value: null, low: null, high: null, reason: "ONE_CLASS" };

  it("give no verdict where the metric does not exist on one side, and say why", () => {
    expect(unpairedDifference({ ...common, baseline: [figure(0.7, 0.01)], candidate: [missing] })).toEqual({
      name: "auc",
      baseline: 0.7,
      candidate: null,
      difference: null,
      low: null,
      high: null,
      verdict: null,
      reason: "ONE_CLASS",
      spread: null,
    });
  });

  it("give no verdict where a value has no interval: NO_INTERVAL", () => {
    const bare: Figure = { value: 0.75, low: null, high: null, reason: null };
    expect(unpairedDifference({ ...common, baseline: [figure(0.5, 0.01)], candidate: [bare] })).toMatchObject({
      difference: 0.25,
      verdict: null,
      reason: "NO_INTERVAL",
    });
  });
});
