import { describe, expect, it } from "vitest";
import { compareCell } from "../../src/metrics/compare.ts";
import { floats, tiedCell } from "./madeCells.ts";

const common = { seedSpread: { auc: null, logloss: null }, cells: 1 };

/** One run a side. */
function compared(labels: Float32Array, baseline: Float32Array, candidate: Float32Array) {
  return compareCell({ ...common, labels, baseline: [baseline], candidate: [candidate] });
}

describe("a comparison that cannot be made", () => {
  it("has no verdict without rows: NO_ROWS", () => {
    for (const comparison of compared(floats(), floats(), floats()))
      expect(comparison).toMatchObject({ difference: null, low: null, high: null, verdict: null, reason: "NO_ROWS" });
  });

  it("has no verdict where one side has a probability that is no number: NOT_FINITE", () => {
    for (const comparison of compared(floats(0, 1), floats(0.1, 0.2), floats(0.1, NaN)))
      expect(comparison).toMatchObject({ difference: null, verdict: null, reason: "NOT_FINITE", spread: null });
  });

  it("has no verdict on rows of one class; the log-loss there still tells both figures", () => {
    const [auc, logloss] = compared(floats(0, 0, 0), floats(0.5, 0.5, 0.5), floats(0.4, 0.4, 0.4));
    expect(auc).toMatchObject({ baseline: null, candidate: null, verdict: null, reason: "ONE_CLASS" });
    expect(logloss).toMatchObject({ verdict: null, low: null, high: null, reason: "NO_INTERVAL" });
    expect(logloss!.difference).toBeCloseTo(Math.log(0.5) - Math.log(0.6), 6);
  });

  it("throws when a run has other rows, or a side no run", () => {
    const { probabilities, labels } = tiedCell(1, 10);
    expect(() => compared(labels, probabilities, probabilities.subarray(1))).toThrow(
      "compareCell: expected 10 probabilities, got 9",
    );
    expect(() => compareCell({ ...common, labels, baseline: [], candidate: [probabilities] })).toThrow(
      "compareCell: expected at least one run on a side, got none",
    );
  });
});

describe("a comparison on too few rows to tell", () => {
  it("is WITHIN_NOISE on a single positive row, whatever its AUC", () => {
    const [auc] = compared(floats(0, 0, 0, 1), floats(0.1, 0.2, 0.3, 0.05), floats(0.1, 0.2, 0.3, 0.4));
    expect(auc).toMatchObject({ baseline: 0, candidate: 1, verdict: "WITHIN_NOISE", high: 1 });
  });

  it("is WITHIN_NOISE where all rows agree and there are four of them", () => {
    const [auc] = compared(floats(0, 0, 1, 1), floats(0.9, 0.8, 0.2, 0.1), floats(0.1, 0.2, 0.8, 0.9));
    expect(auc).toMatchObject({ difference: 1, verdict: "WITHIN_NOISE" });
  });
});
