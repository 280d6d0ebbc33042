import { describe, expect, it } from "vitest";
import type { DatasetCountRow, MetricPointRow } from "../../src/context.ts";
import { matrixOf } from "../../src/graphql/matrix.ts";

const count = (taskKey: string, rows: number, positives: number): DatasetCountRow => {
  return { datasetId: "ds_1", split: "test", scenarioKey: "home", taskKey, rows, positives };
};
const point = (
  taskKey: string,
  name: string,
  value: number | null,
  rest: Partial<MetricPointRow> = {},
): MetricPointRow => {
  const place = { id: 0, runId: "run_1", epoch: null, split: "test", scenarioKey: "home" } as const;
  return { ...place, taskKey, name, value, low: null, high: null, reason: null, groups: null, ...rest };
};

describe("the matrix of a split", () => {
  it("has the figures of every cell, and their means", () => {
    const points = [
      point("click", "auc", 0.75),
      point("click", "logloss", 0.5),
      point("like", "auc", 0.25),
      point("like", "logloss", 0.25),
    ];
    const cell = { scenarioKey: "home", rows: 10, reason: null, metrics: expect.any(Array) };
    expect(matrixOf("test", points, [count("click", 10, 4), count("like", 10, 1)])).toEqual({
      split: "test",
      meanAuc: 0.5,
      meanLogloss: 0.375,
      cells: [
        { ...cell, taskKey: "click", positives: 4, auc: 0.75, logloss: 0.5 },
        { ...cell, taskKey: "like", positives: 1, auc: 0.25, logloss: 0.25 },
      ],
    });
  });

  it("has every metric of a cell in the order of the schema, with what is stored of it", () => {
    const points = [
      point("click", "gauc", 0.7, { groups: 12 }),
      point("click", "calibration", null, { reason: "ONE_CLASS" }),
      point("click", "auc", 0.75, { low: 0.7, high: 0.8 }),
    ];
    const none = { low: null, high: null, reason: null, groups: null };
    expect(matrixOf("test", points, [count("click", 10, 4)])?.cells[0]?.metrics).toEqual([
      { ...none, name: "auc", value: 0.75, low: 0.7, high: 0.8 },
      { ...none, name: "calibration", value: null, reason: "ONE_CLASS" },
      { ...none, name: "gauc", value: 0.7, groups: 12 },
    ]);
  });

  it("leaves cells without an AUC out of the mean, and says why they have none", () => {
    const points = [
      point("click", "auc", 0.75),
      point("click", "logloss", 0.5),
      point("like", "auc", null, { reason: "ONE_CLASS" }),
      point("like", "logloss", 0.25),
      point("buy", "auc", null, { reason: "NO_ROWS" }),
      point("buy", "logloss", null, { reason: "NO_ROWS" }),
      point("share", "auc", null, { reason: "NOT_FINITE" }),
      point("share", "logloss", null, { reason: "NOT_FINITE" }),
    ];
    const counts = [count("click", 10, 4), count("like", 10, 0), count("buy", 0, 0), count("share", 10, 4)];
    const matrix = matrixOf("test", points, counts);
    expect(matrix?.meanAuc).toBe(0.75);
    expect(matrix?.cells.map(({ taskKey, reason }) => [taskKey, reason])).toEqual([
      ["click", null],
      ["like", "ONE_CLASS"],
      ["buy", "NO_ROWS"],
      ["share", "NOT_FINITE"],
    ]);
  });

  it("takes the reason from the dataset's counts where the run is from before reasons were stored", () => {
    const points = ["like", "buy", "share"].flatMap((task) => [
      point(task, "auc", null),
      point(task, "logloss", task === "like" ? 0.25 : null),
    ]);
    const matrix = matrixOf("test", points, [count("like", 10, 10), count("buy", 0, 0), count("share", 10, 0)]);
    expect(matrix?.cells.map(({ taskKey, reason }) => [taskKey, reason])).toEqual([
      ["like", "ONE_CLASS"],
      ["buy", "NO_ROWS"],
      ["share", "NOT_FINITE"],
    ]);
  });

  it("has only the cells that were measured", () => {
    const matrix = matrixOf("test", [point("like", "auc", 0.75)], [count("click", 10, 4), count("like", 10, 4)]);
    expect(matrix?.cells.map(({ taskKey }) => taskKey)).toEqual(["like"]);
  });

  it("is null where the split was not measured", () => {
    expect(matrixOf("train", [point("click", "auc", 0.75)], [count("click", 10, 4)])).toBeNull();
  });
});
