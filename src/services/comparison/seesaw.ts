/** Which cells gain and which lose by being trained together: a run on all cells against its single-cell baselines. */
import { ConflictError } from "../../errors.ts";
import type { CellComparison, Verdict } from "../../metrics/judge.ts";
import type { DatasetCount, Run } from "../../store/rows.ts";
import { compareCells } from "./compareCells.ts";
import type { Comparer } from "./comparer.ts";
import type { Installation } from "../installation.ts";
import { assertOnAllCells, singleCellBaseline } from "./singleCellBaseline.ts";
import { inSpecOrder } from "../stored.ts";
import { withField } from "../withField.ts";

export interface SeesawCellRow extends Pick<DatasetCount, "scenarioKey" | "taskKey" | "rows" | "positives"> {
  /** Null where `trainBaselines` has not been asked for it, or it FAILED or was CANCELLED. */
  readonly baseline: Run | null;
  /** The run against the baseline; null until the baseline has SUCCEEDED. */
  readonly auc: CellComparison | null;
  readonly logloss: CellComparison | null;
}

export interface Seesaw {
  readonly run: Run;
  /** True if compared row by row, over the predictions; false also where nothing could be compared yet. */
  readonly paired: boolean;
  /** Worst first. */
  readonly cells: SeesawCellRow[];
}

/** Of the test split. Throws NotFoundError, ConflictError for a run that has not SUCCEEDED or is on one cell. */
export async function seesaw({ store }: Installation, comparer: Comparer, id: string): Promise<Seesaw> {
  const run = await withField({ id: "run" }, () => store.runs.get(id));
  assertOnAllCells(run, "run");
  if (run.state !== "SUCCEEDED") {
    const expected = "a run in state SUCCEEDED";
    const detail = { field: "run", expected, received: run.state };
    throw new ConflictError(`run: expected ${expected}, but ${id} is ${run.state}`, detail);
  }
  const dataset = await store.datasets.get(run.datasetId);
  const counts = inSpecOrder(await store.datasets.countsByIds([dataset.id]), dataset);
  const pairs = await withBaselines(
    store,
    run,
    counts.filter(({ split }) => split === "test"),
  );
  const { paired, compared } = await compareCells(store, comparer, {
    cells: pairs.flatMap(({ baseline, ...cell }) =>
      baseline?.state === "SUCCEEDED" ? [{ ...cell, baseline: [baseline], candidate: [run] }] : [],
    ),
    datasets: new Map([[dataset.id, dataset]]),
    split: "test",
  });
  const cells = pairs.map(({ scenarioKey, taskKey, rows, positives, baseline }) => {
    const own = compared.find((cell) => cell.scenarioKey === scenarioKey && cell.taskKey === taskKey);
    return { scenarioKey, taskKey, rows, positives, baseline, auc: own?.auc ?? null, logloss: own?.logloss ?? null };
  });
  return { run, paired, cells: worstFirst(cells) };
}

async function withBaselines({ runs }: Installation["store"], run: Run, cells: readonly DatasetCount[]) {
  const wanted = cells.map(({ scenarioKey: scenario, taskKey: task }) => singleCellBaseline(run, { scenario, task }));
  const hashes = wanted.map(({ configurationHash }) => configurationHash);
  const found = (await runs.bySeed(run.datasetId, hashes, run.seed)).filter(
    ({ state }) => state !== "FAILED" && state !== "CANCELLED",
  );
  return cells.map((cell, index) => {
    const own = found.filter(({ configurationHash }) => configurationHash === hashes[index]);
    const baseline = own.find(({ state }) => state === "SUCCEEDED") ?? own[0] ?? null;
    return { ...cell, baseline };
  });
}

const badness: Readonly<Record<Verdict, number>> = { WORSE: 0, WITHIN_NOISE: 1, BETTER: 2 };

/** By the verdict on the AUC, then by its difference; those without one last, in their order. */
function worstFirst(cells: readonly SeesawCellRow[]): SeesawCellRow[] {
  const rank = ({ auc }: SeesawCellRow): number => (auc?.verdict ? badness[auc.verdict] : 3);
  const difference = ({ auc }: SeesawCellRow): number => auc?.difference ?? Infinity;
  const descent = (a: number, b: number): number => (a === b ? 0 : a - b);
  return cells.toSorted((a, b) => rank(a) - rank(b) || descent(difference(a), difference(b)));
}
