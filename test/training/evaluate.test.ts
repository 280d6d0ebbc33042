import { describe, expect, it } from "vitest";
import type { DatasetShape, SplitRows } from "../../src/data/spec.ts";
import { cellMetrics, meanAuc } from "../../src/training/evaluate.ts";

const shape: DatasetShape = {
  fields: 0,
  ids: 0,
  unknownIds: [],
  scenarios: ["home", "search", "channel"],
  tasks: ["click", "like"],
};

/** Four rows of home and two of search, mixed; none of channel. Of search nobody likes anything. */
const rows: SplitRows = {
  rows: 6,
  ids: new Int32Array(0),
  numbers: new Float32Array(0),
  scenario: Int32Array.of(0, 1, 0, 0, 1, 0),
  labels: Float32Array.of(1, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1),
};
const probabilities = Float32Array.of(0.9, 0.1, 0.2, 0.1, 0.3, 0.8, 0.7, 0.2, 0.6, 0.3, 0.8, 0.4);

describe("the metrics of a model on a split", () => {
  it("are measured cell by cell, each on the rows of its scenario", () => {
    const metrics = cellMetrics("test", rows, probabilities, shape, "QUICK");
    const aucs = metrics.filter(({ name }) => name === "auc");
    expect(aucs.map(({ scenario, task, value, reason }) => [scenario, task, value, reason])).toEqual([
      ["home", "click", 0.75, null],
      ["home", "like", 1, null],
      ["search", "click", 1, null],
      ["search", "like", null, "ONE_CLASS"],
      ["channel", "click", null, "NO_ROWS"],
      ["channel", "like", null, "NO_ROWS"],
    ]);
  });

  it("are AUC and log-loss alone when they have to be quick", () => {
    const metrics = cellMetrics("validation", rows, probabilities, shape, "QUICK");
    expect(new Set(metrics.map(({ name }) => name))).toEqual(new Set(["auc", "logloss"]));
    expect(metrics[0]).toEqual({
      split: "validation",
      scenario: "home",
      task: "click",
      name: "auc",
      value: 0.75,
      low: null,
      high: null,
      reason: null,
      groups: null,
    });
  });

  it("in full have intervals, and the grouped AUC where the rows have groups", () => {
    const names = (of: SplitRows): string[] =>
      cellMetrics("test", of, probabilities, shape, "FULL").flatMap(({ scenario, task, name }) =>
        scenario === "home" && task === "click" ? [name] : [],
      );
    expect(names(rows)).toEqual(["auc", "logloss", "calibration", "ece", "normalisedEntropy"]);
    const grouped = { ...rows, groups: Int32Array.of(0, 0, 0, 1, 1, 1) };
    expect(names(grouped).at(-1)).toBe("gauc");
    const metrics = cellMetrics("test", grouped, probabilities, shape, "FULL");
    // Group 0 of home: rows 0 and 2, of which the clicked one scores higher; group 1: rows 3 and 5, the other way round.
    expect(metrics.find(({ name }) => name === "gauc")).toMatchObject({ value: 0.5, groups: 2, reason: null });
    expect(metrics.find(({ name }) => name === "auc")!.low).not.toBeNull();
  });

  it("have a mean AUC over the cells in which it exists, none without any", () => {
    const metrics = cellMetrics("test", rows, probabilities, shape, "QUICK");
    expect(meanAuc(metrics)).toBeCloseTo((0.75 + 1 + 1) / 3, 12);
    expect(meanAuc([])).toBeNull();
  });
});
