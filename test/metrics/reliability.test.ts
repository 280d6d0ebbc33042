import { describe, expect, it } from "vitest";
import { reliability } from "../../src/metrics/reliability.ts";
import { createRandom } from "../../src/random.ts";

/** Sorts, cuts into ten, and takes means. Probabilities must differ. */
function slow(probabilities: Float32Array, labels: Float32Array) {
  const rows = Array.from(probabilities, (p, i) => ({ p, y: labels[i]! })).sort((a, b) => a.p - b.p);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const bins = Array.from({ length: 10 }, (_, bin) =>
    rows.filter((_, i) => Math.floor((10 * i) / rows.length) === bin),
  );
  return bins.map((own) => ({
    rows: own.length,
    predicted: mean(own.map(({ p }) => p)),
    observed: mean(own.map(({ y }) => y)),
  }));
}

describe("reliability", () => {
  it("is that of ten bins of as many rows by probability", () => {
    const random = createRandom(1, "reliability");
    const probabilities = Float32Array.from({ length: 1003 }, () => random.uniform());
    const labels = probabilities.map((p) => (random.uniform() < p * p ? 1 : 0));
    const { bins, ece, predicted, observed } = reliability(probabilities, labels);
    const expected = slow(probabilities, labels);
    expect(bins.map(({ rows }) => rows)).toEqual(expected.map(({ rows }) => rows));
    bins.forEach((bin, i) => {
      expect(bin.predicted).toBeCloseTo(expected[i]!.predicted, 12);
      expect(bin.observed).toBeCloseTo(expected[i]!.observed, 12);
    });
    const distances = expected.map((bin) => (bin.rows / 1003) * Math.abs(bin.predicted - bin.observed));
    expect(ece).toBeCloseTo(
      distances.reduce((a, b) => a + b),
      12,
    );
    expect([predicted, observed]).toEqual([
      expect.closeTo(probabilities.reduce((a, b) => a + b) / 1003, 5),
      expect.closeTo(labels.reduce((a, b) => a + b) / 1003, 12),
    ]);
  });

  it("keeps rows of equal probability together, so that there may be fewer bins", () => {
    const { bins, ece } = reliability(Float32Array.of(0.5, 0.5, 0.5, 0.5), Float32Array.of(0, 1, 0, 0));
    expect(bins).toEqual([{ rows: 4, predicted: 0.5, observed: 0.25 }]);
    expect(ece).toBe(0.25);
  });

  it("of one row is that row", () => {
    expect(reliability(Float32Array.of(0.25), Float32Array.of(1))).toEqual({
      bins: [{ rows: 1, predicted: 0.25, observed: 1 }],
      predicted: 0.25,
      observed: 1,
      ece: 0.75,
    });
  });
});
