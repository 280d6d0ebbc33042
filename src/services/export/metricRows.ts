/** Metrics as rows: one per run, epoch, split, scenario, task and metric. */
import type { MetricPoint, Run } from "../../store/rows.ts";
import type { RunFilter } from "../../store/runFilter.ts";
import type { Store } from "../../store/store.ts";
import { apiWord, rowOf } from "./columns.ts";
import type { Column, Exported } from "./columns.ts";
import { runPages } from "./runRows.ts";

/** Runs whose points are read at a time: a long run has tens of thousands. */
const runsAtOnce = 10;

const columns: readonly Column<{ readonly run: Run; readonly point: MetricPoint }>[] = [
  { name: "run", type: "TEXT", of: ({ run }) => run.id },
  { name: "dataset", type: "TEXT", of: ({ run }) => run.datasetId },
  { name: "epoch", type: "INTEGER", of: ({ point }) => point.epoch },
  { name: "split", type: "TEXT", of: ({ point }) => apiWord(point.split) },
  { name: "scenario", type: "TEXT", of: ({ point }) => point.scenarioKey },
  { name: "task", type: "TEXT", of: ({ point }) => point.taskKey },
  { name: "metric", type: "TEXT", of: ({ point }) => apiWord(point.name) },
  { name: "value", type: "NUMBER", of: ({ point }) => point.value },
  { name: "low", type: "NUMBER", of: ({ point }) => point.low },
  { name: "high", type: "NUMBER", of: ({ point }) => point.high },
  { name: "reason", type: "TEXT", of: ({ point }) => point.reason },
  { name: "groups", type: "INTEGER", of: ({ point }) => point.groups },
];

/** Of the runs for which the filter holds, newest first; of each its epochs, then (epoch null) the finished model. */
export function exportedMetrics(store: Store, filter: RunFilter): Exported {
  const rows = async function* (): AsyncGenerator<object> {
    for await (const page of runPages(store, filter)) {
      for (let start = 0; start < page.length; start += runsAtOnce) {
        const runs = new Map(page.slice(start, start + runsAtOnce).map((run) => [run.id, run]));
        for (const point of await store.metrics.allByRunIds([...runs.keys()])) {
          yield rowOf(columns, { run: runs.get(point.runId)!, point });
        }
      }
    }
  };
  return { columns, rows: rows() };
}
