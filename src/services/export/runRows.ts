/** Runs as rows: everything that was chosen, how they ended, and their metrics summed up over the cells. */
import type { MetricSummary } from "../../store/metrics.ts";
import type { Dataset, Run } from "../../store/rows.ts";
import type { RunFilter } from "../../store/runFilter.ts";
import type { Store } from "../../store/store.ts";
import { cellOf, pruneRuleOf } from "../stored.ts";
import { apiWord, rowOf } from "./columns.ts";
import type { Column, Exported } from "./columns.ts";

/** Runs read at a time. */
const pageRows = 100;

interface RunSource {
  readonly run: Run;
  readonly dataset: Dataset;
  readonly summaries: { readonly validation: readonly MetricSummary[]; readonly test: readonly MetricSummary[] };
}

const columns: readonly Column<RunSource>[] = [
  { name: "id", type: "TEXT", of: ({ run }) => run.id },
  { name: "kind", type: "TEXT", of: ({ run }) => run.kind },
  { name: "state", type: "TEXT", of: ({ run }) => run.state },
  { name: "dataset", type: "TEXT", of: ({ dataset }) => dataset.id },
  { name: "datasetName", type: "TEXT", of: ({ dataset }) => dataset.name },
  { name: "datasetVersion", type: "INTEGER", of: ({ dataset }) => dataset.version },
  { name: "scenario", type: "TEXT", of: ({ run }) => cellOf(run)?.scenario ?? null },
  { name: "task", type: "TEXT", of: ({ run }) => cellOf(run)?.task ?? null },
  { name: "backbone", type: "TEXT", of: ({ run }) => run.backboneName },
  { name: "backboneConfig", type: "JSON", of: ({ run }) => run.backboneConfig },
  { name: "head", type: "JSON", of: ({ run }) => run.head },
  { name: "hyperParameters", type: "JSON", of: ({ run }) => run.hyperParameters },
  { name: "preset", type: "TEXT", of: ({ run }) => run.preset },
  { name: "seed", type: "INTEGER", of: ({ run }) => run.seed },
  { name: "engine", type: "TEXT", of: ({ run }) => apiWord(run.engine) },
  { name: "budget", type: "JSON", of: ({ run }) => run.budget },
  { name: "pruneThreshold", type: "NUMBER", of: ({ run }) => run.pruneThreshold },
  { name: "pruneRule", type: "JSON", of: ({ run }) => pruneRuleOf(run) },
  { name: "configurationHash", type: "TEXT", of: ({ run }) => run.configurationHash || null },
  { name: "parent", type: "TEXT", of: ({ run }) => run.parentRunId },
  { name: "replayOf", type: "TEXT", of: ({ run }) => run.replayOfRunId },
  { name: "trial", type: "TEXT", of: ({ run }) => run.trialId },
  { name: "attempt", type: "INTEGER", of: ({ run }) => run.attempt },
  { name: "stopReason", type: "TEXT", of: ({ run }) => run.stopReason },
  { name: "errorCode", type: "TEXT", of: ({ run }) => run.error?.code ?? null },
  { name: "errorMessage", type: "TEXT", of: ({ run }) => run.error?.message ?? null },
  { name: "checkpointHash", type: "TEXT", of: ({ run }) => run.checkpointHash },
  { name: "timings", type: "JSON", of: ({ run }) => run.timings },
  { name: "versions", type: "JSON", of: ({ run }) => run.versions },
  { name: "note", type: "TEXT", of: ({ run }) => run.note },
  { name: "createdAt", type: "TIME", of: ({ run }) => run.createdAt },
  { name: "startedAt", type: "TIME", of: ({ run }) => run.startedAt },
  { name: "finishedAt", type: "TIME", of: ({ run }) => run.finishedAt },
  { name: "validation", type: "JSON", of: ({ summaries }) => meansOf(summaries.validation) },
  { name: "test", type: "JSON", of: ({ summaries }) => meansOf(summaries.test) },
];

/** The runs for which the filter holds, newest first, with relations as ids. */
export function exportedRuns(store: Store, filter: RunFilter): Exported {
  const rows = async function* (): AsyncGenerator<object> {
    for await (const runs of runPages(store, filter)) {
      const ids = runs.map(({ id }) => id);
      const datasets = await store.datasets.byIds([...new Set(runs.map(({ datasetId }) => datasetId))]);
      const validation = await store.metrics.summariesByRunIds(ids, "validation");
      const test = await store.metrics.summariesByRunIds(ids, "test");
      for (const run of runs) {
        const dataset = datasets.find(({ id }) => id === run.datasetId)!;
        const own = ({ runId }: MetricSummary): boolean => runId === run.id;
        const summaries = { validation: validation.filter(own), test: test.filter(own) };
        yield rowOf(columns, { run, dataset, summaries });
      }
    }
  };
  return { columns, rows: rows() };
}

/** The runs for which the filter holds, newest first, some at a time. */
export async function* runPages({ runs }: Store, filter: RunFilter): AsyncGenerator<readonly Run[]> {
  let after: string | undefined;
  for (;;) {
    const page = await runs.list({ ...filter, first: pageRows, ...(after === undefined ? {} : { after }) });
    if (page.rows.length > 0) yield page.rows;
    if (!page.hasNextPage) return;
    after = page.rows.at(-1)!.id;
  }
}

/** By metric the mean over the cells that have one; null where the split was not measured. */
function meansOf(summaries: readonly MetricSummary[]): object | null {
  if (summaries.length === 0) return null;
  return Object.fromEntries(summaries.map(({ name, mean }) => [apiWord(name), mean]));
}
