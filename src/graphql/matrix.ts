/** The scenario × task matrix of metrics, put together from the points of a run and the counts of its dataset. */
import { inSpecOrder } from "../context.ts";
import type { Context, DatasetCountRow, MetricPointRow, MetricSummaryRow, MetricWord, SplitWord } from "../context.ts";
import { MetricName } from "./enums.ts";
import type { MetricReason, Resolvers } from "./generated.ts";
import { required } from "./required.ts";

/** One metric of one cell. */
export interface MetricRow {
  readonly name: MetricWord;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly reason: MetricReason | null;
  readonly groups: number | null;
}

export interface CellRow {
  readonly scenarioKey: string;
  readonly taskKey: string;
  readonly auc: number | null;
  readonly logloss: number | null;
  readonly reason: MetricReason | null;
  readonly rows: number;
  readonly positives: number;
  /** All that were read, in the order of the schema. */
  readonly metrics: MetricRow[];
}

export interface MatrixRow {
  readonly split: SplitWord;
  readonly meanAuc: number | null;
  readonly meanLogloss: number | null;
  readonly cells: CellRow[];
}

/** The sizes of a dataset's cells, in the order of its description. */
export async function countsOf(datasetId: string, { loaders }: Context): Promise<DatasetCountRow[]> {
  const [dataset, counts] = await Promise.all([
    required(loaders.dataset.load(datasetId)),
    loaders.datasetCounts.load(datasetId),
  ]);
  return inSpecOrder(counts, dataset);
}

/** Null where the split was not measured. Cells are those that were measured, in the order of `counts`. */
export function matrixOf(
  split: SplitWord,
  points: readonly MetricPointRow[],
  counts: readonly DatasetCountRow[],
): MatrixRow | null {
  const measured = byCell(points, split);
  if (measured.size === 0) return null;
  const cells = counts
    .filter((count) => count.split === split && measured.has(cellOf(count)))
    .map((count): CellRow => {
      const own = measured.get(cellOf(count))!;
      const metrics = names.flatMap((name) => metricOf(name, own, count) ?? []);
      const [auc, logloss] = (["auc", "logloss"] as const).map((name) =>
        metrics.find((metric) => metric.name === name),
      );
      const { scenarioKey, taskKey, rows, positives } = count;
      return {
        scenarioKey,
        taskKey,
        rows,
        positives,
        auc: auc?.value ?? null,
        logloss: logloss?.value ?? null,
        // Without a logloss there is no AUC either, and for the same reason.
        reason: logloss?.reason ?? auc?.reason ?? null,
        metrics,
      };
    });
  return {
    split,
    meanAuc: mean(cells.map(({ auc }) => auc)),
    meanLogloss: mean(cells.map((cell) => cell.logloss)),
    cells,
  };
}

/** Those of the metrics `wanted`, in that order; null: all, in the order of the schema. */
export function summariesOf(
  summaries: readonly MetricSummaryRow[],
  wanted: readonly MetricWord[] | null | undefined,
): (MetricSummaryRow & { readonly name: MetricWord })[] {
  return (wanted ?? names).flatMap((name) => {
    const found = summaries.find((summary) => summary.name === name);
    return found ? [{ ...found, name }] : [];
  });
}

const names: readonly MetricWord[] = Object.values(MetricName);

function byCell(points: readonly MetricPointRow[], split: SplitWord): ReadonlyMap<string, MetricPointRow[]> {
  const found = new Map<string, MetricPointRow[]>();
  for (const point of points) {
    if (point.split !== split) continue;
    const cell = found.get(cellOf(point));
    if (cell) cell.push(point);
    else found.set(cellOf(point), [point]);
  }
  return found;
}

/** Neither key may hold a slash. */
function cellOf({ scenarioKey, taskKey }: Pick<DatasetCountRow, "scenarioKey" | "taskKey">): string {
  return `${scenarioKey}/${taskKey}`;
}

function metricOf(name: MetricWord, points: readonly MetricPointRow[], count: DatasetCountRow): MetricRow | undefined {
  const point = points.find((candidate) => candidate.name === name);
  if (!point) return undefined;
  const { value, low, high, groups } = point;
  const reason = point.reason ?? (value === null ? derivedReason(name, count) : null);
  return { name, value, low, high, reason, groups };
}

/** Of points from before reasons were stored: from what the dataset says of the cell. */
function derivedReason(name: MetricWord, { rows, positives }: DatasetCountRow): MetricReason {
  if (rows === 0) return "NO_ROWS";
  return name === "auc" && (positives === 0 || positives === rows) ? "ONE_CLASS" : "NOT_FINITE";
}

function mean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}

export const Cell: Resolvers["Cell"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};
