import { describe, expect, it } from "vitest";
import type { DatasetCountRow, MetricPointRow } from "../../src/context.ts";
import { matrixOf } from "../../src/graphql/matrix.ts";

const count = (taskKey: string, rows: number, positives: number): DatasetCountRow => {
  return { datasetId: "ds_1", split: "test", scenarioKey: "home", taskKey, rows, positives };
};
const point = (taskKey: string, name: string, value: number | null): MetricPointRow => {
  return { id: 0, runId: "run_1", epoch: null, split: "test", scenarioKey: "home", taskKey, name, value };
};

describe("the matrix of a split", () => {
  it("has the figures of every cell, and their means", () => {
    const points = [
      point("click", "auc", 0.75),
      point("click", "logloss", 0.5),
      point("like", "auc", 0.25),
      point("like", "logloss", 0.25),
    ];
    const cell = { scenarioKey: "home", rows: 10, reason: null };
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

  it("leaves cells without an AUC out of the mean, and says why they have none", () => {
    const points = [
      point("click", "auc", 0.75),
      point("click", "logloss", 0.5),
      point("like", "auc", null),
      point("like", "logloss", 0.25),
      point("buy", "auc", null),
      point("buy", "logloss", null),
      point("share", "auc", null),
      point("share", "logloss", null),
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

  it("is null where the split was not measured", () => {
    expect(matrixOf("train", [point("click", "auc", 0.75)], [count("click", 10, 4)])).toBeNull();
  });
});
