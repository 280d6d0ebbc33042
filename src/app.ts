/** The composition root: makes one running installation out of its configuration. The only file that knows every part. */
import { mkdir } from "node:fs/promises";
import type { Config } from "./config.ts";
import { createContext } from "./context.ts";
import type { Context } from "./context.ts";
import { watchLeases } from "./jobs/lapsedLeases.ts";
import { workQueue } from "./jobs/workQueue.ts";
import { loadPlugins } from "./plugin/registry.ts";
import { advanceExperiment } from "./services/experiment/advanceExperiment.ts";
import { importDataset } from "./services/dataset/importDataset.ts";
import type { Installation } from "./services/installation.ts";
import { loadModel } from "./services/prediction/loadModel.ts";
import { createPredictors } from "./services/prediction/predictors.ts";
import { createServices } from "./services/services.ts";
import { createTrainer } from "./services/training/trainer.ts";
import { trainRun } from "./services/training/trainRun.ts";
import { openStore } from "./store/store.ts";

export interface App {
  createContext(): Context;
  /** True while the database answers. */
  ready(): Promise<boolean>;
  /** Gives the work of dead workers back to the queue, until `signal` aborts. */
  watchLeases(signal: AbortSignal): Promise<void>;
  /** Works through the queue under a name of this process alone, until `signal` aborts. */
  work(owner: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Makes the folders, opens the store and loads the plugins; one that is broken is logged and left out. */
export async function openApp(config: Config, log: (line: string) => void): Promise<App> {
  const { databaseFile, artifactsFolder, filesFolder, scratchFolder, pluginsFolder } = config;
  await mkdir(filesFolder, { recursive: true });
  const { plugins, failures } = await loadPlugins(pluginsFolder);
  for (const { error } of failures) log(error.message);
  const store = await openStore({ databaseFile, artifactsFolder });
  const predictors = createPredictors({ load: (run) => loadModel({ store, plugins }, run) });
  const installation: Installation = { store, plugins, predictors, pluginsFolder, filesFolder, scratchFolder };
  const services = createServices(installation);
  const trainer = createTrainer();
  const trainOptions = { store, pluginsFolder, trainer, saveEverySeconds: config.checkpointMinutes * 60 };
  return {
    createContext: () => createContext(store, services),
    ready: () =>
      store.scenarios.list({ first: 1 }).then(
        () => true,
        () => false,
      ),
    watchLeases: (signal) =>
      watchLeases({
        store,
        maxAttempts: config.maxAttempts,
        log,
        intervalMs: (config.leaseSeconds * 1000) / 3,
        signal,
      }),
    work: (owner, signal) =>
      workQueue({
        store,
        owner,
        signal,
        log,
        leaseMs: config.leaseSeconds * 1000,
        maxAttempts: config.maxAttempts,
        handlers: {
          IMPORT_DATASET: (job) => importDataset(installation, job),
          TRAIN: (job, context) => trainRun(trainOptions, job, context),
          ADVANCE_EXPERIMENT: (job) => advanceExperiment(installation, job),
        },
      }),
    async close() {
      await trainer.close();
      await predictors.close();
      await store.close();
    },
  };
}
