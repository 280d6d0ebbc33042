import { describe, expect, it } from "vitest";
import type { SweepInput, SweepParameter } from "../../../src/services/experiment/experimentInput.ts";
import { sweepPoints } from "../../../src/services/experiment/sweepPoints.ts";

const sweep = (kind: SweepInput["kind"], parameters: SweepParameter[], more: Partial<SweepInput> = {}): SweepInput => ({
  kind,
  parameters,
  seed: 1,
  objective: {},
  ...(kind === "GRID" ? {} : { trials: 1000 }),
  ...more,
});

describe("sweepPoints", () => {
  it("of a GRID are all combinations, the last parameter changing fastest", () => {
    const parameters = [
      { path: "learningRate", values: [0.1, 0.2] },
      { path: "backbone.config.layers", values: [[8], [16], [32]] },
    ];
    expect(sweepPoints(sweep("GRID", parameters), 6)).toEqual([
      { learningRate: 0.1, "backbone.config.layers": [8] },
      { learningRate: 0.1, "backbone.config.layers": [16] },
      { learningRate: 0.1, "backbone.config.layers": [32] },
      { learningRate: 0.2, "backbone.config.layers": [8] },
      { learningRate: 0.2, "backbone.config.layers": [16] },
      { learningRate: 0.2, "backbone.config.layers": [32] },
    ]);
  });

  it("are counted before they are made", () => {
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    const paths = ["batchSize", "maxEpochs", "patience", "embeddingDim", "search.epochs"];
    const parameters = paths.map((path) => ({ path, values }));
    expect(() => sweepPoints(sweep("GRID", parameters), 10_000)).toThrow(
      "input.sweep.parameters: expected at most 10000 points with these configurations, datasets and seeds, got 1000000000000000",
    );
  });

  it("of RANDOM come from the seed, and ASHA draws the same", () => {
    const parameters = [
      { path: "learningRate", range: { low: 1e-4, high: 1e-1, scale: "LOG" as const, integer: false } },
    ];
    const points = sweepPoints(sweep("RANDOM", parameters), 1000);
    expect(sweepPoints(sweep("RANDOM", parameters), 1000)).toEqual(points);
    expect(sweepPoints(sweep("RANDOM", parameters, { seed: 2 }), 1000)).not.toEqual(points);
    const rungs = { minimumEpochs: 1, reductionFactor: 3, maximumEpochs: 9 };
    expect(sweepPoints(sweep("ASHA", parameters, { rungs }), 1000)).toEqual(points);
  });

  it("are uniform on the scale of their range, and within it", () => {
    const drawn = (range: SweepParameter["range"]): number[] =>
      sweepPoints(sweep("RANDOM", [{ path: "learningRate", range: range! }]), 1000).map((point) =>
        Number(point["learningRate"]),
      );
    const share = (values: number[], below: number): number => values.filter((value) => value < below).length / 1000;
    const linear = drawn({ low: 2, high: 4, scale: "LINEAR", integer: false });
    expect(Math.min(...linear)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...linear)).toBeLessThanOrEqual(4);
    // Four standard deviations of a share of 1000 draws are 0.063.
    expect(share(linear, 3)).toBeCloseTo(0.5, 1);
    const log = drawn({ low: 1e-4, high: 1, scale: "LOG", integer: false });
    expect(share(log, 1e-2)).toBeCloseTo(0.5, 1);
    expect(share(log, 1e-3)).toBeCloseTo(0.25, 1);
  });

  it("are integers where these are asked for, the bounds as likely as the others", () => {
    const range = { low: 1, high: 4, scale: "LINEAR" as const, integer: true };
    const values = sweepPoints(sweep("RANDOM", [{ path: "patience", range }]), 1000).map((point) => point["patience"]);
    for (const value of [1, 2, 3, 4]) {
      const count = values.filter((drawn) => drawn === value).length;
      expect(count).toBeGreaterThan(190);
      expect(count).toBeLessThan(310);
    }
    expect(new Set(values).size).toBe(4);
  });
});
