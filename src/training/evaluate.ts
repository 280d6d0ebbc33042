/** The metrics of a model on one split, cell by cell. */
import type { DatasetShape, Split, SplitRows } from "../data/spec.ts";
import { conditionalAuc } from "../metrics/conditionalAuc.ts";
import { measureCell, measureQuickly } from "../metrics/measureCell.ts";
import type { CellMetric } from "./events.ts";

/** `QUICK`: AUC and log-loss without intervals, for the end of an epoch. `FULL`: everything there is to measure. */
export type MetricDetail = "QUICK" | "FULL";

/**
 * The metrics of every scenario × task from probabilities [rows, T]; each on the rows of its scenario. GAUC is among
 * them where the rows have groups, the conditional AUC in full detail where the task is conditional.
 */
export function cellMetrics(
  split: Split,
  rows: SplitRows,
  probabilities: Float32Array,
  { scenarios, tasks, conditions }: DatasetShape,
  detail: MetricDetail,
): CellMetric[] {
  const measure = detail === "FULL" ? measureCell : measureQuickly;
  const rowsOf = rowsByScenario(rows, scenarios.length);
  return scenarios.flatMap((scenario, k) => {
    const own = rowsOf[k]!;
    const groups = rows.groups && gathered(rows.groups, own, new Int32Array(own.length), 1, 0);
    const cellOf = (m: number) => ({
      probabilities: gathered(probabilities, own, new Float32Array(own.length), tasks.length, m),
      labels: gathered(rows.labels, own, new Float32Array(own.length), tasks.length, m),
      groups,
    });
    return tasks.flatMap((task, m): CellMetric[] => {
      const cell = cellOf(m);
      const condition = conditions?.[m] ?? null;
      const isAsked = detail === "FULL" && condition !== null;
      const measurements = [...measure(cell), ...(isAsked ? [conditionalAuc(cell, cellOf(condition))] : [])];
      return measurements.map((measurement) => ({ split, scenario, task, ...measurement }));
    });
  });
}

/** Arithmetic mean of the AUC over the cells in which it exists; null when there is none. */
export function meanAuc(metrics: readonly CellMetric[]): number | null {
  const values = metrics.flatMap(({ name, value }) => (name === "auc" && value !== null ? [value] : []));
  return values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Row numbers of each scenario, ascending [scenarios][rows of the scenario]; one pass to count, one to place. */
export function rowsByScenario(
  { rows, scenario }: Pick<SplitRows, "rows" | "scenario">,
  scenarios: number,
): Uint32Array[] {
  const counts = new Uint32Array(scenarios);
  for (let row = 0; row < rows; row++) counts[scenario[row]!]!++;
  const rowsOf = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(scenarios);
  for (let row = 0; row < rows; row++) {
    const k = scenario[row]!;
    rowsOf[k]![filled[k]!++] = row;
  }
  return rowsOf;
}

/** Column `column` of the rows `own` of a row-major array, in `into` [own]. */
export function gathered<A extends Float32Array | Float64Array | Int32Array>(
  source: A,
  own: Uint32Array,
  into: A,
  columns: number,
  column: number,
): A {
  for (let i = 0; i < own.length; i++) into[i] = source[own[i]! * columns + column]!;
  return into;
}
