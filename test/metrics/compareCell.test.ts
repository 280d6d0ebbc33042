import { describe, expect, it } from "vitest";
import { type CellPredictions, compareCell } from "../../src/metrics/compare.ts";
import type { CellComparison } from "../../src/metrics/judge.ts";
import { measureQuickly } from "../../src/metrics/measureCell.ts";
import type { SeedSpread } from "../../src/metrics/seedSpread.ts";
import { createRandom, type Random } from "../../src/random.ts";
import { logistic, tiedCell } from "./madeCells.ts";
import { average, covariance, slowAuc, slowCovariance, slowLosses } from "./slowMetrics.ts";

const unknown = { auc: null, logloss: null };
/** Seeds that make no difference, known from so many runs that Student's distribution is the normal one. */
const certain: SeedSpread = { variance: 0, degreesOfFreedom: 1e9 };
const z = 1.959963984540054;

describe("comparing two runs on the same rows", () => {
  it("gives the difference of AUC and of log-loss, each with its interval and a verdict", () => {
    const { labels, better, worse } = twoModels(createRandom(1, "models"), 2000);
    const comparisons = compareCell({ labels, baseline: [worse], candidate: [better], seedSpread: unknown, cells: 1 });
    expect(comparisons.map(({ name, verdict, reason }) => [name, verdict, reason])).toEqual([
      ["auc", "BETTER", null],
      ["logloss", "BETTER", null],
    ]);
    for (const { baseline, candidate, difference, low, high } of comparisons) {
      expect(difference).toBe(candidate! - baseline!);
      expect(low!).toBeLessThan(difference!);
      expect(high!).toBeGreaterThan(difference!);
    }
  });

  it("says WORSE the other way round, with the same interval turned", () => {
    const { labels, better, worse } = twoModels(createRandom(1, "models"), 2000);
    const common = { labels, seedSpread: unknown, cells: 1 };
    const there = compareCell({ ...common, baseline: [worse], candidate: [better] });
    const back = compareCell({ ...common, baseline: [better], candidate: [worse] });
    for (const [i, { verdict, low, high }] of back.entries()) {
      expect(verdict).toBe("WORSE");
      expect(low).toBeCloseTo(-there[i]!.high!, 12);
      expect(high).toBeCloseTo(-there[i]!.low!, 12);
    }
  });

  it("of a run with itself finds nothing", () => {
    const { probabilities, labels } = tiedCell(1);
    const runs = { baseline: [probabilities], candidate: [probabilities] };
    for (const comparison of compareCell({ labels, ...runs, seedSpread: unknown, cells: 1 }))
      expect(comparison).toMatchObject({ difference: 0, verdict: "WITHIN_NOISE" });
  });
});

describe("the error from the test rows", () => {
  it.each([1, 2, 3])("is that of the paired DeLong test for AUC, to 1e-12 (seed %d)", (seed) => {
    const { probabilities: a, others: b, labels } = tiedCell(seed);
    const [auc] = compareCell({
      labels,
      baseline: [a],
      candidate: [b],
      seedSpread: { auc: certain, logloss: certain },
      cells: 1,
    });
    const variance = slowCovariance(a, a, labels) + slowCovariance(b, b, labels) - 2 * slowCovariance(a, b, labels);
    expectNear(auc!.difference, slowAuc(b, labels) - slowAuc(a, labels));
    expectInterval(auc!, variance);
  });

  it.each([1, 2, 3])("is that of the differences row by row for log-loss, to 1e-12 (seed %d)", (seed) => {
    const { probabilities: a, others: b, labels } = tiedCell(seed);
    const [, logloss] = compareCell({
      labels,
      baseline: [a],
      candidate: [b],
      seedSpread: { auc: certain, logloss: certain },
      cells: 1,
    });
    const before = slowLosses(a, labels);
    const differences = slowLosses(b, labels).map((loss, row) => loss - before[row]!);
    expectNear(logloss!.difference, average(differences));
    expectInterval(logloss!, covariance(differences, differences) / differences.length);
  });

  it("of several runs on a side is that of their mean, all covariances counted", () => {
    const { probabilities, others, labels } = tiedCell(4);
    const mixed = probabilities.map((p, row) => (p + 2 * others[row]!) / 3);
    const runs = [probabilities, others, mixed, tiedCell(5).probabilities];
    const weights = [-0.5, -0.5, 0.5, 0.5];
    const [auc] = compareCell({
      labels,
      baseline: runs.slice(0, 2),
      candidate: runs.slice(2),
      seedSpread: { auc: { variance: 0, degreesOfFreedom: 1e12 }, logloss: certain },
      cells: 1,
    });
    let variance = 0;
    for (const [i, a] of runs.entries())
      for (const [j, b] of runs.entries()) variance += weights[i]! * weights[j]! * slowCovariance(a, b, labels);
    // The two runs of a side are pooled in: 2 degrees of freedom of 1e12, next to nothing.
    expect(auc!.high! - auc!.difference!).toBeCloseTo(z * Math.sqrt(variance), 9);
  });
});

describe("the spread of seeds", () => {
  const { probabilities: a, others: b, labels } = tiedCell(5);
  const compare = (parts: Partial<CellPredictions>): CellComparison =>
    compareCell({ labels, baseline: [a], candidate: [b], seedSpread: unknown, cells: 1, ...parts })[0]!;
  const width = ({ low, high }: CellComparison): number => high! - low!;
  const paired = slowCovariance(a, a, labels) + slowCovariance(b, b, labels) - 2 * slowCovariance(a, b, labels);

  it("widens the interval where other runs tell it: variance s² (1/nA + 1/nB), at Student's t of its degrees of freedom", () => {
    const spread = { variance: paired / 2, degreesOfFreedom: 5 };
    const comparison = compare({ seedSpread: { auc: spread, logloss: null } });
    expect(comparison.spread).toBe("MEASURED");
    // The variance of the seeds is that of the test rows; t of 5 degrees of freedom is 2.570581836614739.
    const t = 2.570581836614739;
    expect(width(comparison)).toBeCloseTo(2 * Math.sqrt((z ** 2 + t ** 2) * paired), 10);
  });

  it("is measured by the runs themselves where a side has two", () => {
    const c = a.map((p) => 1 - (1 - p) ** 2 * 0.9);
    const comparison = compare({ baseline: [a, c] });
    expect(comparison.spread).toBe("MEASURED");
    expect(comparison.baseline).toBeCloseTo((slowAuc(a, labels) + slowAuc(c, labels)) / 2, 12);
  });

  it("where nothing is known is taken to be as large as the error of each side from its rows", () => {
    const comparison = compare({});
    expect(comparison.spread).toBe("ASSUMED");
    const variance = paired + slowCovariance(a, a, labels) + slowCovariance(b, b, labels);
    expect(width(comparison)).toBeCloseTo(2 * z * Math.sqrt(variance), 10);
  });
});

describe("the level", () => {
  it("is Šidák's: with 20 cells the interval of each is at 1 − 0.95^(1/20)", () => {
    const { probabilities: a, others: b, labels } = tiedCell(6);
    const seedSpread = { auc: certain, logloss: certain };
    const [one, many] = [1, 20].map(
      (cells) => compareCell({ labels, baseline: [a], candidate: [b], seedSpread, cells })[0]!,
    );
    // The normal quantile at 1 − (1 − 0.95^(1/20)) / 2.
    expect((many!.high! - many!.low!) / (one!.high! - one!.low!)).toBeCloseTo(3.015994533489939 / z, 6);
  });
});

describe("verdicts over many comparisons", () => {
  const trials = 200;

  it("on runs that differ in the seed alone are WITHIN_NOISE, seeds told by three runs a side", () => {
    const random = createRandom(7, "seeds");
    const verdicts = Array.from({ length: trials }, () => {
      const rows = madeRows(random, 400);
      const side = (): Float32Array[] => [0, 1, 2].map(() => trained(random, rows, 1));
      return compareCell({ labels: rows.labels, baseline: side(), candidate: side(), seedSpread: unknown, cells: 1 });
    });
    for (const i of [0, 1]) expect(shareOf(verdicts, i, "WITHIN_NOISE")).toBeGreaterThanOrEqual(0.92);
  });

  it("on single runs that differ in the seed alone are WITHIN_NOISE, whether seeds are measured or assumed", () => {
    const random = createRandom(8, "single seeds");
    for (const known of [true, false]) {
      const verdicts = Array.from({ length: trials }, () => {
        const rows = madeRows(random, 400);
        const others = [0, 1, 2, 3, 4, 5].map(() => trained(random, rows, 1));
        const seedSpread = known
          ? {
              auc: spreadOf(others.map((p) => quick(p, rows.labels)[0]!)),
              logloss: spreadOf(others.map((p) => quick(p, rows.labels)[1]!)),
            }
          : unknown;
        const [baseline, candidate] = [[trained(random, rows, 1)], [trained(random, rows, 1)]];
        return compareCell({ labels: rows.labels, baseline, candidate, seedSpread, cells: 1 });
      });
      for (const i of [0, 1]) expect(shareOf(verdicts, i, "WITHIN_NOISE")).toBeGreaterThanOrEqual(0.92);
    }
  });

  it("on a model that has really lost are WORSE, three runs a side and the seeds known from twenty others", () => {
    const random = createRandom(9, "drop");
    const common = madeRows(random, 600);
    const others = Array.from({ length: 20 }, () => trained(random, common, 1));
    const seedSpread = {
      auc: spreadOf(others.map((p) => slowAuc(p, common.labels))),
      logloss: spreadOf(others.map((p) => average(slowLosses(p, common.labels)))),
    };
    const verdicts = Array.from({ length: 50 }, () => {
      const rows = madeRows(random, 1500);
      const side = (strength: number): Float32Array[] => [0, 1, 2].map(() => trained(random, rows, strength));
      return compareCell({ labels: rows.labels, baseline: side(1), candidate: side(0), seedSpread, cells: 6 });
    });
    for (const i of [0, 1]) expect(shareOf(verdicts, i, "WORSE")).toBeGreaterThanOrEqual(0.9);
  });
});

/** AUC and log-loss. */
function quick(probabilities: Float32Array, labels: Float32Array): number[] {
  return measureQuickly({ probabilities, labels }).map(({ value }) => value!);
}

interface MadeRows {
  readonly labels: Float32Array;
  readonly inputs: readonly (readonly [number, number])[];
}

/** Labels follow two inputs alike. */
function madeRows(random: Random, rows: number): MadeRows {
  const inputs = Array.from({ length: rows }, () => [random.normal(), random.normal()] as const);
  return { inputs, labels: Float32Array.from(inputs, ([x, y]) => Number(random.uniform() < logistic(x + y))) };
}

/** A model whose weights are off by what its seed made of them; of the second input it knows the share `strength`. */
function trained(random: Random, { inputs }: MadeRows, strength: number): Float32Array {
  const [a, b] = [1 + 0.2 * random.normal(), strength + 0.2 * random.normal()];
  return Float32Array.from(inputs, ([x, y]) => logistic(a * x + b * y));
}

function twoModels(random: Random, rows: number): { labels: Float32Array; better: Float32Array; worse: Float32Array } {
  const made = madeRows(random, rows);
  return { labels: made.labels, better: trained(random, made, 1), worse: trained(random, made, 0) };
}

function spreadOf(values: readonly number[]): SeedSpread {
  return { variance: covariance(values, values), degreesOfFreedom: values.length - 1 };
}

function shareOf(trials: readonly CellComparison[][], metric: number, verdict: string): number {
  return average(trials.map((comparisons) => Number(comparisons[metric]!.verdict === verdict)));
}

function expectInterval({ low, high, difference }: CellComparison, variance: number): void {
  const half = z * Math.sqrt(variance);
  expectNear(low, difference! - half);
  expectNear(high, difference! + half);
}

function expectNear(value: number | null, expected: number): void {
  expect(Math.abs(value! - expected)).toBeLessThanOrEqual(1e-12);
}
