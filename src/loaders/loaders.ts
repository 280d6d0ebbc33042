/**
 * Everything GraphQL reads: relations by key, many keys in one statement, and pages of the lists. Built anew for every
 * request, so what one request has read is never shown to the next.
 */
import DataLoader from "dataloader";
import type { TagOf } from "../store/annotations.ts";
import type { TrialCount } from "../store/experimentList.ts";
import type { MetricSummary } from "../store/metrics.ts";
import type {
  Artifact,
  BackboneStatistic,
  BatchPrediction,
  Dataset,
  DatasetCount,
  Experiment,
  Export,
  ModelExport,
  FlowEffect,
  FlowStatistic,
  GateStatistic,
  LossWeight,
  MetricPoint,
  Model,
  ModelAlias,
  ModelTraffic,
  ModelVersion,
  PromotionRule,
  Run,
  Scenario,
  Split,
  Task,
  TrafficDifference,
  Trial,
} from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import type { ApiToken } from "../store/tokens.ts";
import type { Webhook, WebhookDelivery } from "../store/webhooks.ts";
import { groupedInOrder, inOrder } from "./inOrder.ts";
import { createLists } from "./lists.ts";

export type {
  BackboneStatistic as BackboneStatisticRow,
  BatchPrediction as BatchPredictionRow,
  Dataset as DatasetRow,
  DatasetCount as DatasetCountRow,
  Experiment as ExperimentRow,
  Export as ExportRow,
  ModelExport as ModelExportRow,
  FlowEffect as FlowEffectRow,
  FlowStatistic as FlowStatisticRow,
  LossWeight as LossWeightRow,
  MetricChange as MetricChangeRow,
  MetricPoint as MetricPointRow,
  Model as ModelRow,
  ModelAlias as ModelAliasRow,
  ModelTraffic as ModelTrafficRow,
  ModelVersion as ModelVersionRow,
  PromotionRule as PromotionRuleRow,
  Run as RunRow,
  Scenario as ScenarioRow,
  Task as TaskRow,
  Trial as TrialRow,
} from "../store/rows.ts";
export type { AuditEntry as AuditEntryRow } from "../store/audit.ts";
export type { EventKind as WebhookEventWord } from "../store/outbox.ts";
export type { AnnotatedRow, TagOf as TagRow } from "../store/annotations.ts";
export type { ApiToken as TokenRow } from "../store/tokens.ts";
export type { Webhook as WebhookRow, WebhookDelivery as WebhookDeliveryRow } from "../store/webhooks.ts";
export type { MetricSummary as MetricSummaryRow } from "../store/metrics.ts";
export type { List, OrderValue, Page, PageRequest } from "../store/page.ts";

/** Keys in one statement, which takes 999 parameters at most. */
const maxBatchSize = 500;

export type Loaders = ReturnType<typeof createLoaders>;

export function createLoaders(store: Store, signal: { throwIfAborted(): void }) {
  const {
    scenarios,
    tasks,
    datasets,
    experiments,
    runs,
    metrics,
    flows,
    epochRecords,
    annotations,
    tokens,
    exports,
    modelExports,
    batchPredictions,
    artifacts,
    models,
    promotionRules,
    modelTraffic,
    webhooks,
  } = store;
  /** Reads nothing for an answer that nobody waits for any more. */
  const wanted = <Argument, Result>(read: (argument: Argument) => Promise<Result>) => {
    return (argument: Argument): Promise<Result> => {
      signal.throwIfAborted();
      return read(argument);
    };
  };
  /** One row per key, null where there is none. */
  const one = <Row>(read: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row | null>(async (keys) => inOrder(keys, await wanted(read)(keys), keyOf), {
      maxBatchSize,
    });
  /** All rows of a key. */
  const many = <Row>(read: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row[]>(async (keys) => groupedInOrder(keys, await wanted(read)(keys), keyOf), {
      maxBatchSize,
    });

  return {
    scenarioById: one<Scenario>(scenarios.byIds, ({ id }) => id),
    scenarioByKey: one<Scenario>(scenarios.byKeys, ({ key }) => key),
    taskById: one<Task>(tasks.byIds, ({ id }) => id),
    taskByKey: one<Task>(tasks.byKeys, ({ key }) => key),
    dataset: one<Dataset>(datasets.byIds, ({ id }) => id),
    datasetCounts: many<DatasetCount>(datasets.countsByIds, ({ datasetId }) => datasetId),
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
    /** Of the epochs, ascending. */
    runGates: many<GateStatistic>(flows.historyByRunIds, ({ runId }) => runId),
    runFlowEffects: many<FlowEffect>(flows.effectsByRunIds, ({ runId }) => runId),
    /** Of the epochs, ascending. */
    runLossWeights: many<LossWeight>(epochRecords.lossWeightsByRunIds, ({ runId }) => runId),
    runBackboneStatistics: many<BackboneStatistic>(epochRecords.statisticsByRunIds, ({ runId }) => runId),
    experiment: one<Experiment>(experiments.byIds, ({ id }) => id),
    trial: one<Trial>(experiments.trialsByIds, ({ id }) => id),
    /** By number. */
    experimentTrials: many<Trial>(experiments.trialsByExperimentIds, ({ experimentId }) => experimentId),
    trialCounts: many<TrialCount>(experiments.countsByExperimentIds, ({ experimentId }) => experimentId),
    /** Oldest first. */
    trialRuns: many<Run>(runs.byTrialIds, ({ trialId }) => trialId!),
    /** Of datasets, runs and models, by key. */
    tags: many<TagOf>(annotations.tagsByOwnerIds, ({ ownerId }) => ownerId),
    token: one<ApiToken>(tokens.byIds, ({ id }) => id),
    export: one<Export>(exports.byIds, ({ id }) => id),
    modelExport: one<ModelExport>(modelExports.byIds, ({ id }) => id),
    batchPrediction: one<BatchPrediction>(batchPredictions.byIds, ({ id }) => id),
    artifact: one<Artifact>(artifacts.byHashes, ({ hash }) => hash),
    modelById: one<Model>(models.byIds, ({ id }) => id),
    modelByKey: one<Model>(models.byKeys, ({ key }) => key),
    /** By name. */
    modelAliases: many<ModelAlias>(models.aliasesByModelIds, ({ modelId }) => modelId),
    modelVersion: one<ModelVersion>(models.versionsByIds, ({ id }) => id),
    latestVersion: one<ModelVersion>(
      (ids) => models.versionPagesByModelIds(ids, { first: 0 }),
      ({ modelId }) => modelId,
    ),
    /** By name. */
    versionAliases: many<ModelAlias>(models.aliasesByVersionIds, ({ versionId }) => versionId),
    /** Oldest first. */
    runVersions: many<ModelVersion>(models.versionsByRunIds, ({ runId }) => runId),
    /** What it was made from, and the run itself as the last. */
    runChain: many<Run & { readonly ofRunId: string }>(runs.chainsByIds, ({ ofRunId }) => ofRunId),
    promotionRule: one<PromotionRule>(promotionRules.byIds, ({ id }) => id),
    /** By alias, of each the oldest first. */
    modelRules: many<PromotionRule>(promotionRules.byModelIds, ({ modelId }) => modelId),
    /** By alias. */
    modelTraffic: many<ModelTraffic>(modelTraffic.byModelIds, ({ modelId }) => modelId),
    /** Of all its aliases. */
    modelDifferences: many<TrafficDifference>(modelTraffic.differencesByModelIds, ({ modelId }) => modelId),
    webhook: one<Webhook>(webhooks.byIds, ({ id }) => id),
    webhookDelivery: one<WebhookDelivery>(webhooks.deliveriesByIds, ({ id }) => id),
    lists: createLists(store, wanted),
  };
}

function perSplit<Loader>(make: (split: Split) => Loader): Readonly<Record<Split, Loader>> {
  return { train: make("train"), validation: make("validation"), test: make("test") };
}
