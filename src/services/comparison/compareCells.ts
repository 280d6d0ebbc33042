/** Compares cells of one dataset: paired where the predictions of all runs are kept, else by their stored figures. */
import type { CellComparison, ComparedMetric } from "../../metrics/judge.ts";
import { type Figure, unpairedDifference } from "../../metrics/unpaired.ts";
import type { Dataset, DatasetCount, MetricPoint, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Comparer } from "./comparer.ts";
import type { ComparedCells, ComparisonOrder, StoredPredictions } from "./comparisonOrder.ts";
import { seedSpreads, type SpreadOfCell } from "./seedSpreads.ts";
import { manifestOf } from "../stored.ts";

/** The sizes of a cell, and the runs to be compared in it, at least one on a side. */
export interface CellToCompare extends Pick<DatasetCount, "scenarioKey" | "taskKey" | "rows" | "positives"> {
  readonly baseline: readonly Run[];
  readonly candidate: readonly Run[];
}

export interface ComparedCellRow extends Omit<CellToCompare, "baseline" | "candidate"> {
  readonly auc: CellComparison;
  readonly logloss: CellComparison;
}

export interface CellsToCompare {
  readonly cells: readonly CellToCompare[];
  /** Of the runs, by id; all have the same content. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly split: "validation" | "test";
}

/** The cells in their order; the verdicts of all of them together hold with 95 %. */
export async function compareCells(
  store: Store,
  comparer: Comparer,
  { cells, datasets, split }: CellsToCompare,
): Promise<{ readonly paired: boolean; readonly compared: ComparedCellRow[] }> {
  const runs = [...new Set(cells.flatMap(({ baseline, candidate }) => [...baseline, ...candidate]))];
  const ownDegreesOfFreedom = Math.min(...cells.map((cell) => cell.baseline.length + cell.candidate.length - 2));
  const spreadOf = await seedSpreads(store, runs, { cells, split, ownDegreesOfFreedom });
  const paired = split === "test" && arePaired(runs, datasets);
  const results = paired
    ? await comparer.compare(orderOf(store, cells, datasets.get(runs[0]!.datasetId)!, spreadOf))
    : unpaired(await store.metrics.finalByRunIds(idsOf(runs), { split, names: ["auc", "logloss"] }), cells, spreadOf);
  const compared = cells.map(({ scenarioKey, taskKey, rows, positives }, index) => {
    return { scenarioKey, taskKey, rows, positives, ...results[index]! };
  });
  return { paired, compared };
}

/** All predictions are there, and of the same rows in the same order. */
function arePaired(runs: readonly Run[], datasets: ReadonlyMap<string, Dataset>): boolean {
  const testFiles = new Set([...datasets.values()].map((dataset) => testFileOf(dataset)));
  return runs.length > 0 && testFiles.size === 1 && runs.every(({ predictionsHash }) => predictionsHash !== null);
}

function orderOf(
  { artifacts }: Store,
  cells: readonly CellToCompare[],
  dataset: Dataset,
  spreadOf: SpreadOfCell,
): ComparisonOrder {
  const sha256 = testFileOf(dataset);
  const { scenarios, tasks } = manifestOf(dataset)!.shape;
  const predictionsOf = ({ predictionsHash, cell }: Run): StoredPredictions => {
    return { path: artifacts.path(predictionsHash!), sha256: predictionsHash!, isOfCell: cell !== null };
  };
  return {
    testFile: { path: artifacts.path(sha256), sha256 },
    shape: { scenarios, tasks },
    cells: cells.map(({ scenarioKey: scenario, taskKey: task, baseline, candidate }) => ({
      scenario,
      task,
      baseline: baseline.map(predictionsOf),
      candidate: candidate.map(predictionsOf),
      seedSpread: spreadOf(scenario, task),
    })),
  };
}

function testFileOf(dataset: Dataset): string {
  return manifestOf(dataset)!.files["test.arrow"].sha256;
}

function unpaired(
  points: readonly MetricPoint[],
  cells: readonly CellToCompare[],
  spreadOf: SpreadOfCell,
): ComparedCells {
  return cells.map(({ scenarioKey, taskKey, ...sides }) => {
    const figuresOf = (runs: readonly Run[], name: ComparedMetric): Figure[] =>
      runs.map(
        ({ id }) =>
          points.find(
            (point) =>
              point.runId === id &&
              point.name === name &&
              point.scenarioKey === scenarioKey &&
              point.taskKey === taskKey,
          ) ?? notMeasured,
      );
    const compare = (name: ComparedMetric): CellComparison =>
      unpairedDifference({
        name,
        baseline: figuresOf(sides.baseline, name),
        candidate: figuresOf(sides.candidate, name),
        seedSpread: spreadOf(scenarioKey, taskKey)[name],
        cells: cells.length,
      });
    return { auc: compare("auc"), logloss: compare("logloss") };
  });
}

const notMeasured: Figure = { value: null, low: null, high: null, reason: "NO_ROWS" };

function idsOf(runs: readonly Run[]): string[] {
  return runs.map(({ id }) => id);
}
