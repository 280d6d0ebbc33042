/** The metrics of a model on one split, cell by cell. */
import type { DatasetShape, Split, SplitRows } from "../data/spec.ts";
import type { CellMetric } from "./events.ts";
import { areaUnderCurve, logLoss } from "./metrics.ts";

/** AUC and log-loss of every scenario × task from probabilities [rows, T]; each on the rows of its scenario. */
export function cellMetrics(
  split: Split,
  rows: SplitRows,
  probabilities: Float32Array,
  { scenarios, tasks }: DatasetShape,
): CellMetric[] {
  const T = tasks.length;
  return scenarios.flatMap((scenario, k) => {
    const own: number[] = [];
    for (let row = 0; row < rows.rows; row++) if (rows.scenario[row] === k) own.push(row);
    return tasks.flatMap((task, m): CellMetric[] => {
      const scores = Float32Array.from(own, (row) => probabilities[row * T + m]!);
      const labels = Float32Array.from(own, (row) => rows.labels[row * T + m]!);
      return [
        { split, scenario, task, name: "auc", value: areaUnderCurve(scores, labels) },
        { split, scenario, task, name: "logloss", value: logLoss(scores, labels) },
      ];
    });
  });
}

/** The selection metric: arithmetic mean of the AUC over the cells in which it exists; 0 when there is none. */
export function meanAuc(metrics: readonly CellMetric[]): number {
  const values = metrics.flatMap(({ name, value }) => (name === "auc" && value !== null ? [value] : []));
  return values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length;
}
