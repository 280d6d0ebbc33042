/**
 * The lists of the API, to be read page by page and counted. What each of many things has a list of is read for all of them
 * in one statement, and counted in one.
 */
import DataLoader from "dataloader";
import type { AuditEntry, AuditFilter } from "../store/audit.ts";
import type { BatchFilter } from "../store/batchPredictions.ts";
import type { ModelExportFilter } from "../store/modelExports.ts";
import type { DatasetFilter, DatasetOrder } from "../store/datasetList.ts";
import type { EventRequest } from "../store/events.ts";
import type { ExperimentFilter, ExperimentOrder } from "../store/experimentList.ts";
import type { KeyedFilter, KeyedOrder } from "../store/keyedList.ts";
import type { List, Page, PageRequest } from "../store/page.ts";
import { pageOf } from "../store/page.ts";
import type {
  BatchPrediction,
  Dataset,
  Experiment,
  Export,
  ModelExport,
  Model,
  ModelVersion,
  Run,
  RunEvent,
  Scenario,
  Task,
  Trial,
  TrialState,
} from "../store/rows.ts";
import type { RunFilter, RunOrder } from "../store/runFilter.ts";
import { runOrderName } from "../store/runList.ts";
import type { Store } from "../store/store.ts";
import type { ApiToken } from "../store/tokens.ts";
import type { DeliveryCount, DeliveryState, Webhook, WebhookDelivery } from "../store/webhooks.ts";
import { groupedInOrder, inOrder } from "./inOrder.ts";

/** Two values a key in one statement, which takes 999 parameters at most. */
const maxBatchSize = 500;

/** What is asked of a list; without a filter it holds all that is not deleted. */
export interface Asked<Filter, Order> {
  readonly filter?: Filter | null | undefined;
  readonly orderBy: Order;
}

interface FilteredTable<Row, Filter, Order> {
  list(request: PageRequest & Filter & { readonly orderBy: Order }): Promise<Page<Row>>;
  count(request: Filter & { readonly orderBy: Order }): Promise<number>;
}

/** `wanted` refuses where nobody waits for the answer any more. */
export function createLists(
  {
    scenarios,
    tasks,
    datasets,
    experiments,
    runs,
    tokens,
    audit,
    exports,
    modelExports,
    batchPredictions,
    models,
    webhooks,
    events,
  }: Store,
  wanted: <Argument, Result>(read: (argument: Argument) => Promise<Result>) => (argument: Argument) => Promise<Result>,
) {
  const filtered = <Row, Filter extends object, Order extends { readonly field: string; readonly direction: string }>(
    name: string,
    { list, count }: FilteredTable<Row, Filter, Order>,
    orderName = ({ field, direction }: Order) => `${name} ${field} ${direction}`,
  ) => {
    return ({ filter, orderBy }: Asked<Filter, Order>): List<Row> => {
      const asked = { ...(filter ?? ({} as Filter)), orderBy };
      return {
        order: orderName(orderBy),
        read: (page) => wanted(list)({ ...asked, ...page }),
        count: () => wanted(count)(asked),
      };
    };
  };

  /** Pages of what each key has, one loader for every page that is asked for. */
  const pages = <Row, Request extends { readonly first: number }>(
    read: (keys: readonly string[], page: Request) => Promise<Row[]>,
    keyOf: (row: Row) => string,
  ) => {
    const loaders = new Map<string, DataLoader<string, Page<Row>>>();
    return (key: string, page: Request): Promise<Page<Row>> => {
      const name = JSON.stringify(page);
      const made = loaders.get(name);
      if (made) return made.load(key);
      const readAll = wanted((keys: readonly string[]) => read(keys, page));
      const loader = new DataLoader<string, Page<Row>>(
        async (keys) => groupedInOrder(keys, await readAll(keys), keyOf).map((rows) => pageOf(rows, page)),
        { maxBatchSize },
      );
      loaders.set(name, loader);
      return loader.load(key);
    };
  };

  const eventPages = pages<RunEvent, EventRequest>(events.pagesByRunIds, ({ runId }) => runId);
  const runPages = pages<Run, PageRequest>(runs.pagesByDatasetIds, ({ datasetId }) => datasetId);
  const runCounts = new DataLoader<string, number>(
    async (ids) => {
      const counts = await wanted(runs.countsByDatasetIds)(ids);
      return inOrder(ids, counts, ({ datasetId }) => datasetId).map((row) => row?.count ?? 0);
    },
    { maxBatchSize },
  );
  const trialPages = pages(experiments.trialPagesByExperimentIds, (trial: Trial) => trial.experimentId);
  const trialCounts = new DataLoader<string, { readonly state: TrialState; readonly count: number }[]>(
    async (ids) =>
      groupedInOrder(ids, await wanted(experiments.countsByExperimentIds)(ids), ({ experimentId }) => experimentId),
    { maxBatchSize },
  );

  const versionPages = pages<ModelVersion, PageRequest>(models.versionPagesByModelIds, ({ modelId }) => modelId);
  const versionCounts = new DataLoader<string, number>(
    async (ids) => {
      const counts = await wanted(models.versionCountsByModelIds)(ids);
      return inOrder(ids, counts, ({ modelId }) => modelId).map((row) => row?.count ?? 0);
    },
    { maxBatchSize },
  );
  const datasetVersionPages = pages(
    models.versionPagesByDatasetIds,
    ({ datasetId }: ModelVersion & { readonly datasetId: string }) => datasetId,
  );
  const datasetVersionCounts = new DataLoader<string, number>(
    async (ids) => {
      const counts = await wanted(models.versionCountsByDatasetIds)(ids);
      return inOrder(ids, counts, ({ datasetId }) => datasetId).map((row) => row?.count ?? 0);
    },
    { maxBatchSize },
  );
  const batchPages = pages<BatchPrediction, PageRequest>(batchPredictions.pagesByRunIds, ({ runId }) => runId);
  const batchCounts = new DataLoader<string, number>(
    async (ids) => {
      const counts = await wanted(batchPredictions.countsByRunIds)(ids);
      return inOrder(ids, counts, ({ runId }) => runId).map((row) => row?.count ?? 0);
    },
    { maxBatchSize },
  );
  const deliveryPages = pages(webhooks.deliveryPagesByWebhookIds, (delivery: WebhookDelivery) => delivery.webhookId);
  const deliveryCounts = new DataLoader<string, DeliveryCount[]>(
    async (ids) =>
      groupedInOrder(ids, await wanted(webhooks.deliveryCountsByWebhookIds)(ids), ({ webhookId }) => webhookId),
    { maxBatchSize },
  );

  return {
    /** Of a run, ascending. */
    runEvents: async (runId: string, request: EventRequest) => (await eventPages(runId, request)).rows,
    models: filtered<Model, KeyedFilter, KeyedOrder>("models", models),
    modelVersions: (modelId: string): List<ModelVersion> => ({
      order: "Model.versions",
      read: (page) => versionPages(modelId, page),
      count: () => versionCounts.load(modelId),
    }),
    datasetVersions: (datasetId: string): List<ModelVersion> => ({
      order: "Dataset.modelVersions",
      read: (page) => datasetVersionPages(datasetId, page),
      count: () => datasetVersionCounts.load(datasetId),
    }),
    runBatches: (runId: string): List<BatchPrediction> => ({
      order: "ModelLineage.batchPredictions",
      read: (page) => batchPages(runId, page),
      count: () => batchCounts.load(runId),
    }),
    webhooks: (): List<Webhook> => ({
      order: "webhooks",
      read: wanted(webhooks.list),
      count: () => wanted(webhooks.count)({}),
    }),
    /** Without a state all of them. */
    webhookDeliveries: (webhookId: string, state: DeliveryState | null | undefined): List<WebhookDelivery> => ({
      order: "Webhook.deliveries",
      read: (page) => deliveryPages(webhookId, { ...page, ...(state ? { state } : {}) }),
      count: async () => {
        const counts = await deliveryCounts.load(webhookId);
        return counts.reduce((sum, row) => (state && row.state !== state ? sum : sum + row.count), 0);
      },
    }),
    scenarios: filtered<Scenario, KeyedFilter, KeyedOrder>("scenarios", scenarios),
    tasks: filtered<Task, KeyedFilter, KeyedOrder>("tasks", tasks),
    datasets: filtered<Dataset, DatasetFilter, DatasetOrder>("datasets", datasets),
    runs: filtered<Run, RunFilter, RunOrder>("runs", runs, runOrderName),
    experiments: filtered<Experiment, ExperimentFilter, ExperimentOrder>("experiments", experiments),
    tokens: (): List<ApiToken> => ({
      order: "tokens",
      read: wanted(tokens.list),
      count: () => wanted(() => tokens.count())({}),
    }),
    exports: (): List<Export> => ({
      order: "exports",
      read: wanted(exports.list),
      count: () => wanted(() => exports.count())({}),
    }),
    modelExports: (filter: ModelExportFilter): List<ModelExport> => ({
      order: "modelExports",
      read: (page) => wanted(modelExports.list)({ ...filter, ...page }),
      count: () => wanted(modelExports.count)(filter),
    }),
    batchPredictions: (filter: BatchFilter): List<BatchPrediction> => ({
      order: "batchPredictions",
      read: (page) => wanted(batchPredictions.list)({ ...filter, ...page }),
      count: () => wanted(batchPredictions.count)(filter),
    }),
    auditLog: (filter: AuditFilter): List<AuditEntry & { readonly id: string }> => ({
      order: "auditLog",
      read: async (page) => {
        const { rows, hasNextPage } = await wanted(audit.list)({ ...filter, ...page });
        return { rows: rows.map((entry) => ({ ...entry, id: String(entry.sequence) })), hasNextPage };
      },
      count: () => wanted(audit.count)(filter),
    }),
    datasetRuns: (datasetId: string): List<Run> => ({
      order: "Dataset.runs",
      read: (page) => runPages(datasetId, page),
      count: () => runCounts.load(datasetId),
    }),
    /** Without a state all of them. */
    experimentTrials: (experimentId: string, state: TrialState | null | undefined): List<Trial> => ({
      order: "Experiment.trials",
      read: (page) => trialPages(experimentId, { ...page, ...(state ? { state } : {}) }),
      count: async () => {
        const counts = await trialCounts.load(experimentId);
        return counts.reduce((sum, row) => (state && row.state !== state ? sum : sum + row.count), 0);
      },
    }),
  };
}
