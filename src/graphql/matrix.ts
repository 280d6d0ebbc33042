/** The scenario × task matrix of metrics, put together from the points of a run and the counts of its dataset. */
import { inSpecOrder } from "../context.ts";
import type { Context, DatasetCountRow, MetricPointRow, SplitWord } from "../context.ts";
import type { MetricReason, Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export interface CellRow {
  readonly scenarioKey: string;
  readonly taskKey: string;
  readonly auc: number | null;
  readonly logloss: number | null;
  readonly reason: MetricReason | null;
  readonly rows: number;
  readonly positives: number;
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

/** Null where the split was not measured. Cells are in the order of `counts`. */
export function matrixOf(
  split: SplitWord,
  points: readonly MetricPointRow[],
  counts: readonly DatasetCountRow[],
): MatrixRow | null {
  const measured = points.filter((point) => point.split === split);
  if (measured.length === 0) return null;
  const valueOf = (name: string, { scenarioKey, taskKey }: DatasetCountRow): number | null =>
    measured.find((point) => point.name === name && point.scenarioKey === scenarioKey && point.taskKey === taskKey)
      ?.value ?? null;
  const cells = counts
    .filter((count) => count.split === split)
    .map((count): CellRow => {
      const [auc, logloss] = [valueOf("auc", count), valueOf("logloss", count)];
      const { scenarioKey, taskKey, rows, positives } = count;
      return { scenarioKey, taskKey, rows, positives, auc, logloss, reason: reasonOf(count, auc, logloss) };
    });
  return {
    split,
    meanAuc: mean(cells.map(({ auc }) => auc)),
    meanLogloss: mean(cells.map((cell) => cell.logloss)),
    cells,
  };
}

/** Why a metric is missing, from what the dataset says of the cell. */
function reasonOf({ rows, positives }: DatasetCountRow, auc: number | null, logloss: number | null) {
  if (rows === 0) return "NO_ROWS";
  if (logloss === null) return "NOT_FINITE";
  if (positives === 0 || positives === rows) return "ONE_CLASS";
  return auc === null ? "NOT_FINITE" : null;
}

function mean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}

export const Cell: Resolvers["Cell"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};

export const FlowStatistic: Resolvers["FlowStatistic"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};
