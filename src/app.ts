/** The composition root: makes one running installation out of its configuration. The only file that knows every part. */
import { mkdir } from "node:fs/promises";
import { setTimeout as timer } from "node:timers/promises";
import type { Config } from "./config.ts";
import { createContext } from "./context.ts";
import type { Actor, Asked, Context } from "./context.ts";
import { watchLeases } from "./jobs/lapsedLeases.ts";
import { workQueue } from "./jobs/workQueue.ts";
import type { WorkQueueOptions } from "./jobs/workQueue.ts";
import { openObservation } from "./observe/observation.ts";
import type { Observation, ObservationOptions } from "./observe/observation.ts";
import { predictBatchJob } from "./services/batch/batchJob.ts";
import { exportJob } from "./services/export/exportJob.ts";
import { exportModelJob } from "./services/modelExport/exportModelJob.ts";
import { batchPredictionFile, exportFile, modelExportFile } from "./services/resultFiles.ts";
import type { ResultFile } from "./services/resultFiles.ts";
import { createGate } from "./services/access/gate.ts";
import { createToken } from "./services/access/tokens.ts";
import type { NewApiToken } from "./services/access/tokens.ts";
import { advanceExperiment } from "./services/experiment/advanceExperiment.ts";
import { importDataset } from "./services/dataset/importDataset.ts";
import { createServedRecorder } from "./services/drift/servedRecorder.ts";
import type { Installation } from "./services/installation.ts";
import { createModelResolver } from "./services/model/resolveModel.ts";
import { createTrafficDifferences } from "./services/model/trafficDifferences.ts";
import { checkContract } from "./services/plugins/checkContract.ts";
import { openPlugins } from "./services/plugins/openPlugins.ts";
import { servingThreads } from "./services/prediction/beginServing.ts";
import { createModelPool } from "./services/prediction/modelPool.ts";
import { createRunReader } from "./services/prediction/runReader.ts";
import { productVersion } from "./services/productVersion.ts";
import { createServices } from "./services/services.ts";
import type { Services } from "./services/services.ts";
import { createTrainer } from "./services/training/trainer.ts";
import { trainRun } from "./services/training/trainRun.ts";
import { createDispatcher } from "./services/webhook/dispatcher.ts";
import { backup } from "./store/backup.ts";
import type { BackupManifest } from "./store/backupManifest.ts";
import { restore } from "./store/restore.ts";
import { openStore } from "./store/store.ts";

export interface App {
  createContext(asked: Asked): Context;
  /** True while no token is needed, because there has never been one. */
  isOpen(): boolean;
  /** Who sends this `authorization`; null where nobody with it may come in. */
  identify(authorization: string | undefined): Promise<Actor | null>;
  /** Throws InvalidInputError. For the first token, which nobody can ask for over HTTP. */
  createToken(input: {
    readonly name: string;
    readonly role: Actor["role"];
    readonly expiresAt?: Date;
  }): Promise<NewApiToken>;
  /** True while the database answers, within two seconds. */
  ready(): Promise<boolean>;
  /** The file of an export. Throws NotFoundError, also where it has had its time, or ConflictError until it has SUCCEEDED. */
  exportFile(id: string): Promise<ResultFile>;
  /** The same of a batch prediction. */
  batchPredictionFile(id: string): Promise<ResultFile>;
  /** The same of an export of a model. */
  modelExportFile(id: string): Promise<ResultFile>;
  /** What Prometheus reads. */
  metrics(): Promise<string>;
  /** Gives the work of dead workers back to the queue, looks for new tokens and tells webhooks, until `signal` aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /**
   * Works through the queue under a name of this process alone, until `signal` aborts: one import or training at a time, and
   * beside it one export (also of a model) or batch prediction, which would otherwise wait for hours.
   */
  work(owner: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds in which a database that is well has answered. */
const soon = 2_000;

/** What watches over a process of ours. `write` gets the lines of the log; default: stderr. */
export function observe(
  process: ObservationOptions["process"],
  { logFormat, logLevel, tracesUrl }: Config,
  write?: ObservationOptions["write"],
): Promise<Observation> {
  const options = { process, version: productVersion(), logFormat, logLevel, tracesUrl };
  return openObservation({ ...options, ...(write ? { write } : {}) });
}

/**
 * Copies database and artifacts into a new folder, whoever writes meanwhile. It holds this thread for some time: for a process
 * of its own. Throws ConflictError where the folder has something in it, or there is no installation.
 */
export function backupInstallation({ databaseFile, artifactsFolder }: Config, folder: string): Promise<BackupManifest> {
  return backup({ databaseFile, artifactsFolder, program: productVersion() }, folder);
}

/** Shows the plugin in a folder the contract of backbones. Throws InvalidInputError, PluginError. */
export const checkPlugin = checkContract;

/** Throws InvalidInputError for what is no whole backup, ConflictError where there is an installation already. */
export function restoreInstallation(
  { databaseFile, artifactsFolder }: Config,
  folder: string,
): Promise<BackupManifest> {
  return restore(folder, { databaseFile, artifactsFolder });
}

/** Makes the folders, opens the store, tries the plugins and imports them; one that is broken is logged and left out. */
export async function openApp(config: Config, observation: Observation): Promise<App> {
  const { log, metrics, tracing } = observation;
  const { databaseFile, artifactsFolder, filesFolder, scratchFolder, pluginSeconds } = config;
  await mkdir(filesFolder, { recursive: true });
  const opening = openPlugins(config);
  // Until it is awaited a failure must not count as unhandled.
  opening.catch(() => undefined);
  const store = await openStore({ databaseFile, artifactsFolder });
  const {
    sources: pluginSources,
    failures: pluginFailures,
    plugins,
  } = await opening.catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  for (const { error } of pluginFailures) log.error(error.message);
  const pool = createModelPool({
    begin: servingThreads(pluginSources, pluginSeconds),
    threads: config.predictThreads,
    memoryBytes: config.modelMemoryMb * 2 ** 20,
    waitMs: config.predictWaitMs,
    watch: {
      ...metrics.pool,
      died: (reason) => log.error("a thread that predicts has ended; the next request begins another", { reason }),
    },
  });
  const modelResolver = createModelResolver(store);
  const trafficDifferences = createTrafficDifferences({ store, log });
  const webhooks = createDispatcher({ store, allowPrivate: config.webhookPrivate, log });
  const pluginParts = { plugins, pluginSources, pluginFailures, pluginSeconds };
  const served = createServedRecorder({ store, log });
  const serving = { pool, runReader: createRunReader(store), modelResolver, trafficDifferences, observers: [served] };
  const folders = { filesFolder, scratchFolder };
  const installation: Installation = { store, ...pluginParts, ...serving, webhooks, log, ...folders };
  const gate = await createGate(store);
  const services = measured(createServices(installation, gate, log), metrics);
  const trainer = createTrainer(pluginSeconds);
  const trainOptions = { store, pluginSources, trainer, saveEverySeconds: config.checkpointMinutes * 60 };
  return {
    createContext: (asked) => createContext(store, services, asked),
    isOpen: gate.isOpen,
    identify: gate.identify,
    async createToken(input) {
      const created = await createToken(installation, input);
      await gate.refresh();
      return created;
    },
    ready: async () => (await inTime(store.scenarios.list({ first: 1 }))) !== null,
    exportFile: (id) => exportFile(installation, id),
    batchPredictionFile: (id) => batchPredictionFile(installation, id),
    modelExportFile: (id) => modelExportFile(installation, id),
    metrics: async () => metrics.text(await inTime(store.figures()), pool.figures()),
    async watch(signal) {
      const intervalMs = (config.leaseSeconds * 1000) / 3;
      const leases = { store, maxAttempts: config.maxAttempts, log, intervalMs, signal };
      const gates = gate.watch(intervalMs, signal);
      await Promise.all([watchLeases(leases), gates, webhooks.run(signal), served.watch(signal)]);
    },
    async work(owner, signal) {
      const { maxAttempts } = config;
      const options = { store, signal, log, tracing, leaseMs: config.leaseSeconds * 1000, maxAttempts };
      const handlers: Required<WorkQueueOptions["handlers"]> = {
        IMPORT_DATASET: (job) => importDataset(installation, job),
        TRAIN: (job, context) => trainRun(trainOptions, job, context),
        ADVANCE_EXPERIMENT: (job) => advanceExperiment(installation, job),
        EXPORT: (job, context) => exportJob(installation, job, context),
        PREDICT_BATCH: (job, context) => predictBatchJob(installation, job, context),
        EXPORT_MODEL: (job, context) => exportModelJob(installation, job, context),
      };
      const { EXPORT, PREDICT_BATCH, EXPORT_MODEL, ...others } = handlers;
      await Promise.all([
        workQueue({ ...options, owner, handlers: others }),
        workQueue({ ...options, owner: `${owner}:bulk`, handlers: { EXPORT, PREDICT_BATCH, EXPORT_MODEL } }),
      ]);
    },
    async close() {
      await trainer.close();
      await pool.close();
      await trafficDifferences.close();
      await served.close();
      await store.close();
    },
  };
}

/** Null where it fails, or takes longer than a database that is well. */
function inTime<T>(work: Promise<T>): Promise<T | null> {
  return Promise.race([work.catch(() => null), timer(soon, null, { ref: false })]);
}

/** Keeps figures of how long predictions take. */
function measured(services: Services, metrics: Observation["metrics"]): Services {
  const timed = <Input, Answer>(
    work: (input: Input) => Promise<Answer>,
    rows: (input: Input) => readonly unknown[],
  ) => {
    return async (input: Input): Promise<Answer> => {
      const begun = performance.now();
      const answer = await work(input);
      metrics.predicted(rows(input).length, (performance.now() - begun) / 1000);
      return answer;
    };
  };
  return {
    ...services,
    predict: timed(services.predict, ({ rows }) => rows),
    rank: timed(services.rank, ({ candidates }) => candidates),
  };
}
