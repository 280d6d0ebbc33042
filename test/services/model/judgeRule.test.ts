/** When a promotion rule holds, on made numbers. */
import { describe, expect, it } from "vitest";
import { judgeRule } from "../../../src/services/model/judgeRule.ts";
import type { VersionPair } from "../../../src/services/model/versionPair.ts";
import type { RuleTerms } from "../../../src/store/ruleTerms.ts";

const rule = (terms: RuleTerms) => {
  return { id: "prl_1", modelId: "mdl_1", alias: "champion", name: "rule", rule: terms, createdAt: new Date(0) };
};

interface MadeCell {
  readonly difference: number | null;
  readonly low?: number;
  readonly high?: number;
  readonly reason?: string;
}

/** A pair whose cells differ so in both metrics. */
function pair(cells: readonly MadeCell[], candidate: object = {}): VersionPair {
  const compared = cells.map(({ difference, low = null, high = null, reason = null }, i) => {
    const [baseline, own] = difference === null ? [null, null] : [0.7, 0.7 + difference];
    const figures = { baseline, candidate: own, difference, low, high, reason, verdict: null, spread: null };
    return { scenarioKey: `s${i}`, taskKey: "click", rows: 9, positives: 4, auc: figures, logloss: figures };
  });
  return {
    candidate,
    baseline: {},
    figures: () => Promise.resolve([]),
    comparison: () => Promise.resolve(compared),
  } as unknown as VersionPair;
}

const notWorse = { kind: "CELL_METRIC_NOT_WORSE", metric: "auc", tolerance: 0.002, beyondNoise: true } as const;
const holds = async (terms: RuleTerms, made: VersionPair) => (await judgeRule(rule(terms), made)).holds;

describe("no cell worse", () => {
  it("is broken only where the difference and the better end of its interval are beyond the tolerance", async () => {
    expect(await holds(notWorse, pair([{ difference: -0.01, low: -0.02, high: -0.003 }]))).toBe(false);
    expect(await holds(notWorse, pair([{ difference: -0.01, low: -0.02, high: -0.001 }]))).toBe(true);
    expect(await holds(notWorse, pair([{ difference: -0.001, low: -0.0015, high: -0.0005 }]))).toBe(true);
    expect(await holds({ ...notWorse, beyondNoise: false }, pair([{ difference: -0.01, low: -0.02, high: 0 }]))).toBe(
      false,
    );
  });

  it("turns round for the log loss", async () => {
    const logloss = { ...notWorse, metric: "logloss" } as const;
    expect(await holds(logloss, pair([{ difference: 0.01, low: 0.003, high: 0.02 }]))).toBe(false);
    expect(await holds(logloss, pair([{ difference: -0.01, low: -0.02, high: -0.003 }]))).toBe(true);
  });

  it("passes over a cell without the metric, and is broken by one that is not finite or by none at all", async () => {
    const good = { difference: 0.01, low: 0, high: 0.02 };
    expect(await holds(notWorse, pair([good, { difference: null, reason: "ONE_CLASS" }]))).toBe(true);
    expect(await holds(notWorse, pair([good, { difference: null, reason: "NOT_FINITE" }]))).toBe(false);
    expect(await judgeRule(rule(notWorse), pair([]))).toMatchObject({
      holds: false,
      message: "no cell has a figure of auc",
    });
  });
});

it("The mean may hide a cell that is worse, and has the mean of the intervals", async () => {
  const cells = [
    { difference: -0.02, low: -0.03, high: -0.01 },
    { difference: 0.04, low: 0.03, high: 0.05 },
  ];
  const { measured, holds } = await judgeRule(rule({ ...notWorse, kind: "MEAN_METRIC_NOT_WORSE" }), pair(cells));
  expect(holds).toBe(true);
  expect(measured[0]!.difference).toBeCloseTo(0.01, 12);
  expect(measured[0]!.high).toBeCloseTo(0.02, 12);
});

it("The latency is that of the model as it is served", async () => {
  const served = pair([], { size: { before: { batch1P99Ms: 9 }, after: { batch1P99Ms: 2 } } });
  expect(await judgeRule(rule({ kind: "LATENCY_P99_BELOW", milliseconds: 5 }), served)).toMatchObject({
    holds: true,
    message: "the 99th percentile of a single row is 2 ms, below 5 ms",
  });
  expect(await holds({ kind: "LATENCY_P99_BELOW", milliseconds: 2 }, served)).toBe(false);
});
