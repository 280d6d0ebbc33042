/** Stores in temporary folders for tests, and the rows that other rows need. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Connection from "libsql";
import { onTestFinished } from "vitest";
import type { NewDataset } from "../../src/store/datasets.ts";
import type { ClaimedJob, Dataset, Run } from "../../src/store/rows.ts";
import type { NewRun } from "../../src/store/queueRun.ts";
import type { RunResult } from "../../src/store/runMoves.ts";
import { openStore } from "../../src/store/store.ts";
import type { Store, StoreOptions } from "../../src/store/store.ts";

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function storeIn(folder: string): StoreOptions {
  return { databaseFile: join(folder, "autoifs.db"), artifactsFolder: join(folder, "artifacts") };
}

let shared: { readonly store: Store; readonly folder: string } | undefined;

/**
 * An empty store. Without a folder it is the same one for all tests of a process, emptied after each, for opening one takes
 * longer than most tests; with a folder it is a new one, closed after the test.
 */
export async function openTestStore(folder?: string): Promise<Store> {
  if (folder !== undefined) {
    const store = await openStore(storeIn(folder));
    onTestFinished(() => store.close());
    return store;
  }
  if (shared === undefined) {
    const sharedFolder = await mkdtemp(join(tmpdir(), "autoifs-store-"));
    shared = { store: await openStore(storeIn(sharedFolder)), folder: sharedFolder };
    process.once("exit", () => rmSync(sharedFolder, { recursive: true, force: true }));
  }
  const { databaseFile } = storeIn(shared.folder);
  onTestFinished(() => empty(databaseFile));
  return shared.store;
}

function empty(databaseFile: string): void {
  const connection = new Connection(databaseFile);
  const tables = connection
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_prisma*' AND name NOT GLOB 'sqlite*'",
    )
    .all() as { name: string }[];
  connection.exec(`PRAGMA foreign_keys = OFF; ${tables.map(({ name }) => `DELETE FROM "${name}";`).join(" ")}`);
  connection.close();
}

export const newDataset: NewDataset = { name: "clicks", sourceFile: "clicks.csv", spec: { fields: [] } };

/** Claims the next job, for a minute. */
export async function claimed(store: Store, owner = "worker-1"): Promise<ClaimedJob> {
  const job = await store.jobs.claim({ owner, leaseMs: 60_000 });
  if (job === null) throw new Error("claimed: expected a waiting job, but the queue is empty");
  return job;
}

/** Registers home_feed and click, and a dataset of one cell that is READY. */
export async function readyDataset(store: Store): Promise<Dataset> {
  await store.scenarios.create({ key: "home_feed", name: "Home feed", description: "" });
  await store.tasks.create({ key: "click", name: "Click", description: "" });
  await store.datasets.create(newDataset);
  return store.datasets.markReady(await claimed(store), {
    contentHash: "c0ffee",
    rows: 100,
    manifest: { files: [] },
    artifactHashes: [],
    counts: [{ split: "train", scenarioKey: "home_feed", taskKey: "click", rows: 100, positives: 20 }],
  });
}

export function newRun(datasetId: string): NewRun {
  return {
    kind: "SEARCH",
    datasetId,
    backboneName: "mmoe",
    backboneConfig: { experts: 4 },
    head: { kind: "AUTOIFS", rank: 2 },
    hyperParameters: { learningRate: 0.001 },
    configurationHash: "mmoe-4",
    preset: "RECOMMENDED",
    seed: 7,
    engine: "compiled",
  };
}

/** The end of a run whose artifact, whatever it is, has been put. */
export function succeededWith(hash: string): RunResult {
  return { checkpointHash: hash, predictionsHash: hash, stopReason: "COMPLETED", timings: { total: 1 } };
}

/** A run on a READY dataset, and the lease of the worker that trains it. */
export async function runningRun(store: Store): Promise<{ run: Run; lease: ClaimedJob }> {
  const dataset = await readyDataset(store);
  const run = await store.runs.create(newRun(dataset.id));
  return { run, lease: await claimed(store) };
}
