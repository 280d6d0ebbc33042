/**
 * A data folder with versions of one model that can be served: folded at the paper's size, with weights as they are before a
 * training, over the dataset of the made data. No server and no worker: it is written straight into the store.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharedBottom from "../plugins/shared-bottom/index.ts";
import { loadConfig } from "../src/config.ts";
import { hashSource } from "../src/data/contentHash.ts";
import { defaultEngine } from "../src/engine/engines.ts";
import { encodeCheckpoint } from "../src/model/checkpoint.ts";
import type { BackbonePlugin } from "../src/plugin/contract.ts";
import { importDataset } from "../src/services/dataset/importDataset.ts";
import { manifestOf } from "../src/services/stored.ts";
import { openStore } from "../src/store/store.ts";
import type { Store } from "../src/store/store.ts";
import { defaultHyperParameters } from "../src/training/hyperParameters.ts";
import { madeCheckpoints } from "./serving.ts";
import { datasetSpec } from "./synth.ts";

export interface ServedModels {
  /** The key of the model. Its alias `champion` stands for version 1. */
  readonly model: string;
}

/** The file that the dataset is made from. */
export const servedFile = fileURLToPath(new URL("../examples/synth/synth.csv.gz", import.meta.url));

/** `versions`: how many the model has; each is loaded on its own. `folder`: a data folder that nobody has opened yet. */
export async function makeServedModels(folder: string, versions: number): Promise<ServedModels> {
  const { databaseFile, artifactsFolder, filesFolder, scratchFolder } = loadConfig({ AUTOIFS_DATA: folder });
  const store = await openStore({ databaseFile, artifactsFolder });
  try {
    await mkdir(filesFolder, { recursive: true });
    const dataset = await importedDataset(store, filesFolder, scratchFolder);
    const model = "ranker";
    await store.models.create({ key: model, name: model, description: "" });
    for (let version = 1; version <= versions; version++) {
      const runId = await untrainedRun(store, dataset, version);
      await store.models.createVersion({ model, runId, description: "" });
    }
    await store.models.moveAlias({ model, name: "champion", version: 1 });
    return { model };
  } finally {
    await store.close();
  }
}

async function importedDataset(store: Store, filesFolder: string, scratchFolder: string): Promise<string> {
  for (const { scenario: key } of datasetSpec.scenario.values)
    await store.scenarios.create({ key, name: key, description: "" });
  for (const { task: key } of datasetSpec.labels) await store.tasks.create({ key, name: key, description: "" });
  const sourceFile = "synth.csv.gz";
  await copyFile(servedFile, join(filesFolder, sourceFile));
  const contentHash = await hashSource(servedFile, datasetSpec);
  const { dataset } = await store.datasets.create({ name: "synth", sourceFile, spec: datasetSpec, contentHash });
  await importDataset({ store, filesFolder, scratchFolder }, await nextJob(store));
  return dataset.id;
}

async function untrainedRun(store: Store, datasetId: string, seed: number): Promise<string> {
  const { shape } = manifestOf(await store.datasets.get(datasetId))!;
  const { pruned } = madeCheckpoints(sharedBottom as BackbonePlugin, shape.ids);
  const { backbone, head } = pruned.model;
  const { id } = await store.runs.create({
    kind: "TRAIN",
    datasetId,
    backboneName: backbone.name,
    backboneConfig: backbone.config as object,
    head,
    hyperParameters: defaultHyperParameters("RECOMMENDED"),
    seed,
    engine: defaultEngine,
    configurationHash: "untrained",
  });
  const job = await nextJob(store);
  const { hash: checkpointHash } = await store.artifacts.put(encodeCheckpoint({ ...pruned, shape }), "checkpoint");
  const { hash: predictionsHash } = await store.artifacts.put(new Uint8Array(4), "predictions");
  await store.runs.succeed(job, { checkpointHash, predictionsHash, stopReason: "COMPLETED", timings: {} });
  return id;
}

async function nextJob(store: Store) {
  const job = await store.jobs.claim({ owner: "bench", leaseMs: 86_400_000 });
  if (!job) throw new Error("bench: expected a job in the queue, but there is none");
  return job;
}
