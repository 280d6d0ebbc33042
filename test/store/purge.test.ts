import { access } from "node:fs/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connect } from "../../src/store/sqlite.ts";
import { purgeStore } from "../../src/store/purge.ts";
import type { Store } from "../../src/store/store.ts";
import { storedDataset, storedRun } from "../server/storedThings.ts";
import { claimed, openTestStore, runningRun, storeIn, temporaryFolder } from "./testStore.ts";

const isOnDisk = (store: Store, hash: string): Promise<boolean> =>
  access(store.artifacts.path(hash)).then(
    () => true,
    () => false,
  );

/** Of a store with a folder of its own; `release` dies as a process does that is killed after the commit. */
async function killedAfterCommit(folder: string) {
  const database = connect(storeIn(folder).databaseFile);
  onTestFinished(() => database.$disconnect());
  return purgeStore(database, { release: () => Promise.reject(new Error("killed")) });
}

function later(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 601_000 });
  onTestFinished(() => void vi.useRealTimers());
}

describe("a purge that is cut off after its commit", () => {
  it("leaves files without users, which a sweep takes away", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const dataset = await storedDataset(store, "clicks");
    const run = await storedRun(store, dataset, { model: "clicks" });
    const kept = await storedRun(store, await storedDataset(store, "likes"), { model: "likes" });
    const hashes = (await store.artifacts.byHashes((await store.purges.plan([run, dataset], "ids")).hashes)).map(
      ({ hash }) => hash,
    );
    expect(hashes).toHaveLength(3);
    for (const id of [run, dataset]) await store.deletion.delete(id);
    const { fingerprint } = await store.purges.plan([run, dataset], "ids");
    const purges = await killedAfterCommit(folder);
    await expect(purges.purge({ ids: [run, dataset], fingerprint, field: "ids" })).rejects.toThrow("killed");

    await expect(store.datasets.get(dataset)).rejects.toThrow("there is none with this id");
    expect(await Promise.all(hashes.map((hash) => isOnDisk(store, hash)))).toEqual([true, true, true]);
    later();
    await store.artifacts.sweep();
    expect(await Promise.all(hashes.map((hash) => isOnDisk(store, hash)))).toEqual([false, false, false]);
    expect(await store.artifacts.byHashes(hashes)).toEqual([]);
    // What others need is there.
    const { checkpointHash, predictionsHash, datasetId } = await store.runs.get(kept);
    const { hashes: needed } = await store.purges.plan([kept, datasetId], "ids");
    expect(needed).toEqual(expect.arrayContaining([checkpointHash, predictionsHash]));
    expect(await Promise.all(needed.map((hash) => isOnDisk(store, hash)))).toEqual([true, true, true]);
  });
});

describe("a purge of a run", () => {
  it("takes along what was recorded of its flows", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const place = { scenarioKey: "home_feed", taskKey: "click", flow: "SHARED_TASK" } as const;
    const gate = { ...place, shareRemoved: 0, meanGate: 0.4, entropy: 0.9, saturation: 0, meanLogit: -0.4 };
    const change = { value: 0, low: 0, high: 0, reason: null };
    const changes = { outAuc: change, outLogloss: change, inAuc: change, inLogloss: change };
    await store.flows.record(lease, [gate]);
    await store.flows.recordEpoch(lease, { epoch: 0, temperature: 1 }, [gate]);
    await store.flows.recordEffects(lease, [{ ...place, rows: 9, removed: 0, ...changes }]);
    const at = { phase: "search", epoch: 1 } as const;
    const { taskKey, scenarioKey } = place;
    await store.epochRecords.recordLossWeights(lease, at, [{ taskKey, weight: 1 }]);
    await store.epochRecords.recordStatistics(lease, at, [{ scenarioKey, name: "experts", values: [0.5, 0.5] }]);
    const { byRunIds, historyByRunIds, effectsByRunIds } = store.flows;
    const { lossWeightsByRunIds, statisticsByRunIds } = store.epochRecords;
    const reads = [byRunIds, historyByRunIds, effectsByRunIds, lossWeightsByRunIds, statisticsByRunIds];
    const recorded = () => Promise.all(reads.map((read) => read([run.id])));
    expect((await recorded()).map(({ length }) => length)).toEqual([1, 1, 1, 1, 1]);

    await store.runs.cancel(run.id);
    await store.deletion.delete(run.id);
    const { fingerprint } = await store.purges.plan([run.id], "ids");
    await store.purges.purge({ ids: [run.id], fingerprint, field: "ids" });
    expect(await recorded()).toEqual([[], [], [], [], []]);
  });
});

describe("a sweep", () => {
  it("leaves the files of a dataset that is being imported, however long that takes", async () => {
    const store = await openTestStore();
    await store.datasets.create({ name: "slow", sourceFile: "slow.csv", spec: {} });
    await store.jobs.claim({ owner: "worker-1", leaseMs: 3_600_000 });
    const { hash } = await store.artifacts.put(new TextEncoder().encode("first of several"), "dataset");
    later();
    await store.artifacts.sweep();
    expect(await isOnDisk(store, hash)).toBe(true);
  });
});

describe("a purge while an import runs", () => {
  it("leaves the files of datasets, for the import may have put the same", async () => {
    const store = await openTestStore();
    const dataset = await storedDataset(store, "clicks");
    await store.datasets.create({ name: "again", sourceFile: "clicks.csv", spec: {} });
    const lease = await claimed(store);
    await store.deletion.delete(dataset);
    const { hashes, fingerprint } = await store.purges.plan([dataset], "ids");
    later();
    await store.purges.purge({ ids: [dataset], fingerprint, field: "ids" });
    await store.artifacts.collect({ hash: hashes[0]!, createdAt: new Date() });
    expect(await isOnDisk(store, hashes[0]!)).toBe(true);
    await store.jobs.fail(lease, { code: "INTERNAL", message: "", detail: {} });
    await store.artifacts.sweep();
    expect(await isOnDisk(store, hashes[0]!)).toBe(false);
  });
});

describe("a dataset that a program from before the table of its files has imported", () => {
  const imported = async (store: Store, name: string, hash: string): Promise<string> => {
    const { dataset } = await store.datasets.create({ name, sourceFile: "old.csv", spec: {} });
    const manifest = { files: { "train.arrow": { sha256: hash } } };
    const result = { contentHash: "old", rows: 1, manifest, artifactHashes: [], counts: [] };
    await store.datasets.markReady(await claimed(store), result);
    return dataset.id;
  };

  it("keeps its files when leftovers are swept away", async () => {
    const store = await openTestStore();
    const { hash } = await store.artifacts.put(new TextEncoder().encode("rows"), "dataset");
    await imported(store, "old", hash);
    later();
    await store.artifacts.sweep();
    expect(await isOnDisk(store, hash)).toBe(true);
  });

  it("keeps them when another dataset with the same is purged, and loses them when it is purged itself", async () => {
    const store = await openTestStore();
    const dataset = await storedDataset(store, "clicks");
    const [hash] = (await store.purges.plan([dataset], "ids")).hashes as [string];
    const old = await imported(store, "old", hash);
    for (const id of [dataset, old]) {
      await store.deletion.delete(id);
      const { fingerprint } = await store.purges.plan([id], "ids");
      await store.purges.purge({ ids: [id], fingerprint, field: "ids" });
      expect(await isOnDisk(store, hash)).toBe(id === dataset);
    }
  });
});

describe("a purge that is refused", () => {
  it("has changed nothing", async () => {
    const store = await openTestStore();
    const dataset = await storedDataset(store, "clicks");
    const run = await storedRun(store, dataset, { model: "clicks" });
    await store.deletion.delete(dataset);
    const before = await store.purges.plan([dataset, run], "ids");
    const { fingerprint } = await store.purges.plan([dataset], "ids");
    await expect(store.purges.purge({ ids: [dataset], fingerprint, field: "ids" })).rejects.toThrow(
      `ids: expected things that are deleted, together with what depends on them, but ${run} needs ${dataset}`,
    );
    expect(await store.purges.plan([dataset, run], "ids")).toEqual(before);
  });
});

describe("a dataset that was looked at before its scenario was deleted", () => {
  it("is not written", async () => {
    const store = await openTestStore();
    const scenario = await store.scenarios.create({ key: "home", name: "Home", description: "" });
    await store.deletion.delete(scenario.id);
    const dataset = { name: "late", sourceFile: "late.csv", spec: {}, scenarioKeys: ["home"] };
    await expect(store.datasets.create(dataset)).rejects.toThrow("expected a scenario that is not deleted");
    const { fingerprint } = await store.purges.plan([scenario.id], "ids");
    await store.purges.purge({ ids: [scenario.id], fingerprint, field: "ids" });
    await expect(store.datasets.create(dataset)).rejects.toThrow("there is none with this id");
  });
});
