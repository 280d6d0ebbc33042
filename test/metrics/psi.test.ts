import { describe, expect, it } from "vitest";
import { stability } from "../../src/metrics/psi.ts";
import { createRandom } from "../../src/random.ts";

/** By the definition, bin by bin. */
function slowPsi(expected: readonly number[], actual: readonly number[]): number {
  const bins = expected.map((rows, i) => [rows, actual[i]!] as const).filter(([a, b]) => a > 0 || b > 0);
  const all = (side: 0 | 1) => bins.reduce((sum, bin) => sum + bin[side] + 0.5, 0);
  const [n, m] = [all(0), all(1)];
  let sum = 0;
  for (const [a, b] of bins) {
    const [p, q] = [(a + 0.5) / n, (b + 0.5) / m];
    sum += q * Math.log(q / p) + p * Math.log(p / q);
  }
  return sum;
}

const random = createRandom(1, "psi");
/** Rows that fall into bins as likely as `weights` say. */
function drawn(rows: number, weights: readonly number[]): number[] {
  const counts = weights.map(() => 0);
  const all = weights.reduce((a, b) => a + b);
  for (let row = 0; row < rows; row++) {
    let left = random.uniform() * all;
    const bin = weights.findIndex((weight) => (left -= weight) < 0);
    counts[bin]!++;
  }
  return counts;
}

describe("the population stability index", () => {
  it("is 0 where both sides spread alike", () => {
    expect(stability([10, 20, 30], [10, 20, 30]).psi).toBe(0);
  });

  it("is Σ (q − p)·ln(q / p), with half a row more in every bin", () => {
    expect(stability([1, 1], [3, 1]).psi).toBeCloseTo(
      (0.7 - 0.5) * Math.log(0.7 / 0.5) + (0.3 - 0.5) * Math.log(0.3 / 0.5),
      15,
    );
    for (let i = 0; i < 20; i++) {
      const [expected, actual] = [drawn(500, [5, 3, 1, 0.01, 0]), drawn(80, [1, 1, 1, 0.01, 0])];
      expect(stability(expected, actual).psi).toBeCloseTo(slowPsi(expected, actual), 12);
    }
  });

  it("does not change with bins that are empty on both sides, nor with which side is which", () => {
    const psi = stability([10, 20, 30], [300, 100, 7]).psi;
    expect(stability([10, 0, 20, 30, 0], [300, 0, 100, 7, 0]).psi).toBe(psi);
    expect(stability([300, 100, 7], [10, 20, 30]).psi).toBeCloseTo(psi!, 14);
  });

  it("is large, but finite, where one side has what the other has not", () => {
    const { psi } = stability([1000, 0], [0, 1000]);
    expect(psi).toBeGreaterThan(10);
    expect(psi).toBeLessThan(20);
  });

  it("does not exist where one side has no rows", () => {
    expect(stability([0, 0], [1, 2])).toEqual({ psi: null, chance: null });
    expect(stability([1, 2], [0, 0])).toEqual({ psi: null, chance: null });
  });

  it("stays below what is called chance in about 95 of 100 cases where nothing differs", () => {
    const weights = [8, 5, 4, 3, 2, 2, 1, 1, 1, 1];
    const below = Array.from({ length: 400 }, () => {
      const { psi, chance } = stability(drawn(1000, weights), drawn(300, weights));
      return psi! < chance! ? 1 : 0;
    });
    const share = below.reduce<number>((a, b) => a + b, 0) / below.length;
    expect(share).toBeGreaterThan(0.91);
    expect(share).toBeLessThan(0.98);
  });
});
