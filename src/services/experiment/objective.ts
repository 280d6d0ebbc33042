/** How good a model is for those who choose among trials: one number from its metrics on the validation split. */
import type { MetricPoint } from "../../store/rows.ts";
import { scoreOf } from "../../training/earlyStopping.ts";
import type { CellMetric } from "../../training/events.ts";
import type { Objective } from "./experimentSpec.ts";

/** Higher is better; null where no cell has the metric. `points` are those of one run and epoch. */
export function objectiveScore(points: readonly MetricPoint[], objective: Objective): number | null {
  const metrics = points.map(
    ({ scenarioKey: scenario, taskKey: task, ...point }) => ({ ...point, scenario, task }) as CellMetric,
  );
  return scoreOf(metrics, { ...objective, minimumDifference: 0 });
}
