/**
 * Everything GraphQL reads: relations by key, many keys in one statement, and pages of the lists. Built anew for every
 * request, so what one request has read is never shown to the next.
 */
import DataLoader from "dataloader";
import type { Dataset, DatasetCount, FlowStatistic, MetricPoint, Run, Scenario, Task } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { groupedInOrder, inOrder } from "./inOrder.ts";

export type {
  Dataset as DatasetRow,
  DatasetCount as DatasetCountRow,
  FlowStatistic as FlowStatisticRow,
  MetricPoint as MetricPointRow,
  Run as RunRow,
  Scenario as ScenarioRow,
  Task as TaskRow,
} from "../store/rows.ts";
export type { Page, PageRequest } from "../store/page.ts";

export type Loaders = ReturnType<typeof createLoaders>;

export function createLoaders({ scenarios, tasks, datasets, runs, metrics, flows }: Store) {
  /** One row per key, null where there is none. */
  const one = <Row>(read: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row | null>(async (keys) => inOrder(keys, await read(keys), keyOf));
  /** All rows of a key. */
  const many = <Row>(read: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row[]>(async (keys) => groupedInOrder(keys, await read(keys), keyOf));

  return {
    scenarioById: one<Scenario>(scenarios.byIds, ({ id }) => id),
    scenarioByKey: one<Scenario>(scenarios.byKeys, ({ key }) => key),
    taskById: one<Task>(tasks.byIds, ({ id }) => id),
    taskByKey: one<Task>(tasks.byKeys, ({ key }) => key),
    dataset: one<Dataset>(datasets.byIds, ({ id }) => id),
    datasetCounts: many<DatasetCount>(datasets.countsByIds, ({ datasetId }) => datasetId),
    /** Newest first. */
    datasetRuns: many<Run>(runs.byDatasetIds, ({ datasetId }) => datasetId),
    run: one<Run>(runs.byIds, ({ id }) => id),
    /** Newest first. */
    runChildren: many<Run>(runs.byParentIds, ({ parentRunId }) => parentRunId!),
    /** Of the finished model. */
    runMetrics: many<MetricPoint>(metrics.finalByRunIds, ({ runId }) => runId),
    /** Of the epochs, ascending. */
    runHistory: many<MetricPoint>(metrics.historyByRunIds, ({ runId }) => runId),
    runFlows: many<FlowStatistic>(flows.byRunIds, ({ runId }) => runId),
    pages: { scenarios: scenarios.list, tasks: tasks.list, datasets: datasets.list, runs: runs.list },
  };
}
