import { describe, expect, it } from "vitest";
import { type CellRows, measureCell, measureQuickly } from "../../src/metrics/measureCell.ts";
import { floats } from "./madeCells.ts";

/** Names of the metrics of the cell with the reason why there is none, null where there is one. */
function reasons(cell: CellRows): Record<string, string | null> {
  return Object.fromEntries(measureCell(cell).map(({ name, reason }) => [name, reason]));
}

const groups = Int32Array.of(0, 0, 1);

describe("a metric that does not exist", () => {
  it("has no value, no interval, and says why", () => {
    const [auc] = measureCell({ probabilities: floats(0.2, 0.5), labels: floats(0, 0) });
    expect(auc).toEqual({ name: "auc", value: null, low: null, high: null, reason: "ONE_CLASS", groups: null });
  });

  it("is every one without rows: NO_ROWS", () => {
    const none = { probabilities: floats(), labels: floats(), groups: new Int32Array(0) };
    expect(reasons(none)).toEqual({
      auc: "NO_ROWS",
      logloss: "NO_ROWS",
      calibration: "NO_ROWS",
      ece: "NO_ROWS",
      normalisedEntropy: "NO_ROWS",
      gauc: "NO_ROWS",
    });
    expect(measureQuickly(none).map(({ reason }) => reason)).toEqual(["NO_ROWS", "NO_ROWS"]);
  });

  it.each([NaN, Infinity, -Infinity])("is every one where a probability is %d: NOT_FINITE", (p) => {
    const broken = { probabilities: floats(0.1, p, 0.3), labels: floats(0, 1, 0), groups };
    expect(new Set(Object.values(reasons(broken)))).toEqual(new Set(["NOT_FINITE"]));
    expect(measureQuickly(broken).map(({ reason }) => reason)).toEqual(["NOT_FINITE", "NOT_FINITE"]);
  });

  it("is AUC, calibration and normalised entropy without positives: ONE_CLASS", () => {
    const cell = { probabilities: floats(0.1, 0.2, 0.3), labels: floats(0, 0, 0), groups };
    expect(reasons(cell)).toEqual({
      auc: "ONE_CLASS",
      logloss: null,
      calibration: "ONE_CLASS",
      ece: null,
      normalisedEntropy: "ONE_CLASS",
      gauc: "NO_GROUPS",
    });
    expect(measureQuickly(cell).map(({ reason }) => reason)).toEqual(["ONE_CLASS", null]);
  });

  it("is AUC and normalised entropy without negatives, but calibration then exists", () => {
    const cell = { probabilities: floats(0.1, 0.2, 0.3), labels: floats(1, 1, 1) };
    expect(reasons(cell)).toEqual({
      auc: "ONE_CLASS",
      logloss: null,
      calibration: null,
      ece: null,
      normalisedEntropy: "ONE_CLASS",
    });
  });

  it("is the grouped AUC where no group has both classes: NO_GROUPS, of none", () => {
    const cell = { probabilities: floats(0.1, 0.2, 0.3), labels: floats(1, 1, 0), groups };
    expect(measureCell(cell).at(-1)).toMatchObject({ name: "gauc", value: null, reason: "NO_GROUPS", groups: 0 });
  });
});

describe("an interval that does not exist", () => {
  it("leaves the value: rows of one class do not tell what the other would have added", () => {
    const [, logloss, , ece] = measureCell({ probabilities: floats(0.1, 0.2, 0.3), labels: floats(0, 0, 0) });
    for (const measurement of [logloss!, ece!]) {
      expect(measurement).toMatchObject({ low: null, high: null, reason: null });
      expect(measurement.value).toBeGreaterThan(0);
    }
  });

  it("is that of calibration where resamples would often have no positive row", () => {
    const labels = floats(1, ...Array.from({ length: 50 }, () => 0));
    const [, logloss, calibration] = measureCell({ probabilities: labels.map(() => 0.02), labels });
    expect(calibration).toMatchObject({ low: null, high: null, reason: null });
    expect(logloss!.low).not.toBeNull();
  });
});
