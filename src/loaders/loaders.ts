/**
 * Everything GraphQL reads: relations by key, many keys in one statement, and pages of the lists. Built anew for every
 * request, so what one request has read is never shown to the next.
 */
import DataLoader from "dataloader";
import type { TrialCount } from "../store/experiments.ts";
import type { MetricSummary } from "../store/metrics.ts";
import type {
  Dataset,
  DatasetCount,
  Experiment,
  FlowStatistic,
  MetricPoint,
  Run,
  Scenario,
  Split,
  Task,
  Trial,
} from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { groupedInOrder, inOrder } from "./inOrder.ts";

export type {
  Dataset as DatasetRow,
  DatasetCount as DatasetCountRow,
  Experiment as ExperimentRow,
  FlowStatistic as FlowStatisticRow,
  MetricPoint as MetricPointRow,
  Run as RunRow,
  Scenario as ScenarioRow,
  Task as TaskRow,
  Trial as TrialRow,
} from "../store/rows.ts";
export type { MetricSummary as MetricSummaryRow } from "../store/metrics.ts";
export type { Page, PageRequest } from "../store/page.ts";

/** Keys in one statement, which takes 999 parameters at most. */
const maxBatchSize = 500;

export type Loaders = ReturnType<typeof createLoaders>;

export function createLoaders({ scenarios, tasks, datasets, experiments, runs, metrics, flows }: Store) {
  /** One row per key, null where there is none. */
  const one = <Row>(read: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row | null>(async (keys) => inOrder(keys, await read(keys), keyOf), { maxBatchSize });
  /** All rows of a key. */
  const many = <Row>(read: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row[]>(async (keys) => groupedInOrder(keys, await read(keys), keyOf), { maxBatchSize });

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
    /** Newest first. */
    runReplays: many<Run>(runs.byReplayedIds, ({ replayOfRunId }) => replayOfRunId!),
    /** Of the finished model on a split: the two metrics a matrix always has. */
    runAucAndLogloss: perSplit((split) =>
      many<MetricPoint>(
        (ids) => metrics.finalByRunIds(ids, { split, names: ["auc", "logloss"] }),
        ({ runId }) => runId,
      ),
    ),
    /** Of the finished model on a split: everything that was measured. */
    runMetrics: perSplit((split) =>
      many<MetricPoint>(
        (ids) => metrics.finalByRunIds(ids, { split }),
        ({ runId }) => runId,
      ),
    ),
    /** Of the finished model on a split: one per metric, over all cells. */
    runSummaries: perSplit((split) =>
      many<MetricSummary>(
        (ids) => metrics.summariesByRunIds(ids, split),
        ({ runId }) => runId,
      ),
    ),
    /** Of the epochs, ascending. */
    runHistory: many<MetricPoint>(metrics.historyByRunIds, ({ runId }) => runId),
    runFlows: many<FlowStatistic>(flows.byRunIds, ({ runId }) => runId),
    experiment: one<Experiment>(experiments.byIds, ({ id }) => id),
    trial: one<Trial>(experiments.trialsByIds, ({ id }) => id),
    /** By number. */
    experimentTrials: many<Trial>(experiments.trialsByExperimentIds, ({ experimentId }) => experimentId),
    trialCounts: many<TrialCount>(experiments.countsByExperimentIds, ({ experimentId }) => experimentId),
    /** Oldest first. */
    trialRuns: many<Run>(runs.byTrialIds, ({ trialId }) => trialId!),
    pages: {
      scenarios: scenarios.list,
      tasks: tasks.list,
      datasets: datasets.list,
      runs: runs.list,
      experiments: experiments.list,
      trials: experiments.listTrials,
    },
  };
}

function perSplit<Loader>(make: (split: Split) => Loader): Readonly<Record<Split, Loader>> {
  return { train: make("train"), validation: make("validation"), test: make("test") };
}
