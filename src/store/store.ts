/** The store: everything that outlives the process. Opens the database and the artifacts folder; nobody sees Prisma. */
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { annotationStore } from "./annotations.ts";
import type { Annotations } from "./annotations.ts";
import { artifactStore } from "./artifacts.ts";
import type { Artifacts } from "./artifacts.ts";
import { auditStore } from "./audit.ts";
import type { Audit } from "./audit.ts";
import { batchPredictionStore } from "./batchPredictions.ts";
import type { BatchPredictions } from "./batchPredictions.ts";
import { datasetStore } from "./datasets.ts";
import type { Datasets } from "./datasets.ts";
import { deletionStore } from "./deletion.ts";
import type { Deletion } from "./deletion.ts";
import { eventStore } from "./events.ts";
import type { Events } from "./events.ts";
import { experimentStore } from "./experiments.ts";
import type { Experiments } from "./experiments.ts";
import { exportStore } from "./exports.ts";
import { modelExportStore } from "./modelExports.ts";
import type { ModelExports } from "./modelExports.ts";
import type { Exports } from "./exports.ts";
import { readFigures } from "./figures.ts";
import type { Figures } from "./figures.ts";
import { epochRecordStore } from "./epochRecords.ts";
import type { EpochRecords } from "./epochRecords.ts";
import { flowStore } from "./flows.ts";
import type { Flows } from "./flows.ts";
import { idempotencyStore } from "./idempotency.ts";
import type { Idempotency } from "./idempotency.ts";
import { createIdSource } from "./ids.ts";
import { jobStore } from "./jobs.ts";
import type { Jobs } from "./jobs.ts";
import { metricStore } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";
import { migrate, ownMigrationsFolder } from "./migrate.ts";
import { modelStore } from "./models.ts";
import type { Models } from "./models.ts";
import { modelTrafficStore } from "./modelTraffic.ts";
import type { ModelTraffics } from "./modelTraffic.ts";
import { outboxStore } from "./outbox.ts";
import type { Outbox } from "./outbox.ts";
import { promotionRuleStore } from "./promotionRules.ts";
import type { PromotionRules } from "./promotionRules.ts";
import { purgeStore } from "./purge.ts";
import type { Purges } from "./purge.ts";
import { runMoves } from "./runMoves.ts";
import type { RunMoves } from "./runMoves.ts";
import { runStore } from "./runs.ts";
import type { Runs } from "./runs.ts";
import { scenarioStore } from "./scenarios.ts";
import type { Scenarios } from "./scenarios.ts";
import { servedBinStore } from "./servedBins.ts";
import type { ServedBins } from "./servedBins.ts";
import { servedRowStore } from "./servedRows.ts";
import type { ServedRows } from "./servedRows.ts";
import { connect } from "./sqlite.ts";
import { taskStore } from "./tasks.ts";
import type { Tasks } from "./tasks.ts";
import { tokenStore } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";
import { webhookStore } from "./webhooks.ts";
import type { Webhooks } from "./webhooks.ts";

export interface StoreOptions {
  /** Made where it does not exist; needs a file system with locks (not a network share). */
  readonly databaseFile: string;
  readonly artifactsFolder: string;
}

/** Functions by subject. Those that take many ids or keys are one statement and give rows in any order. */
export interface Store {
  readonly scenarios: Scenarios;
  readonly tasks: Tasks;
  readonly datasets: Datasets;
  readonly runs: Runs & RunMoves;
  readonly events: Events;
  readonly experiments: Experiments;
  readonly metrics: Metrics;
  readonly flows: Flows;
  readonly epochRecords: EpochRecords;
  readonly artifacts: Artifacts;
  readonly jobs: Jobs;
  readonly models: Models;
  readonly promotionRules: PromotionRules;
  readonly modelTraffic: ModelTraffics;
  readonly outbox: Outbox;
  readonly webhooks: Webhooks;
  readonly annotations: Annotations;
  readonly deletion: Deletion;
  readonly purges: Purges;
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly idempotency: Idempotency;
  readonly exports: Exports;
  readonly modelExports: ModelExports;
  readonly batchPredictions: BatchPredictions;
  readonly served: ServedBins & ServedRows;
  /** How much there is of what. */
  figures(): Promise<Figures>;
  close(): Promise<void>;
}

/** Opens the store and brings the database to this program's schema. Many processes may have the same files open. */
export async function openStore({ databaseFile, artifactsFolder }: StoreOptions): Promise<Store> {
  const file = resolve(databaseFile);
  const folder = resolve(artifactsFolder);
  await mkdir(dirname(file), { recursive: true });
  await mkdir(folder, { recursive: true });
  await migrate(file, ownMigrationsFolder());
  const database = connect(file);
  const newId = createIdSource();
  const artifacts = artifactStore(database, folder);
  return {
    scenarios: scenarioStore(database, newId),
    tasks: taskStore(database, newId),
    datasets: datasetStore(database, newId),
    runs: { ...runStore(database, newId), ...runMoves(database) },
    events: eventStore(database),
    experiments: experimentStore(database, newId),
    metrics: metricStore(database),
    flows: flowStore(database),
    epochRecords: epochRecordStore(database),
    artifacts,
    jobs: jobStore(database),
    models: modelStore(database, newId),
    promotionRules: promotionRuleStore(database, newId),
    modelTraffic: modelTrafficStore(database),
    outbox: outboxStore(database, newId),
    webhooks: webhookStore(database, newId),
    annotations: annotationStore(database),
    deletion: deletionStore(database),
    purges: purgeStore(database, artifacts),
    tokens: tokenStore(database, newId),
    audit: auditStore(database),
    idempotency: idempotencyStore(database),
    exports: exportStore(database, newId),
    modelExports: modelExportStore(database, newId),
    batchPredictions: batchPredictionStore(database, newId),
    served: { ...servedBinStore(database), ...servedRowStore(database) },
    figures: readFigures(database, file),
    close: () => database.$disconnect(),
  };
}
