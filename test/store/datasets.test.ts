import { describe, expect, it } from "vitest";
import { claimed, newDataset, openTestStore, readyDataset } from "./testStore.ts";

const imported = { contentHash: "c0ffee", rows: 0, manifest: null, artifactHashes: [], counts: [] };

describe("datasets", () => {
  it("are IMPORTING from the request on, with a job to import them", async () => {
    const store = await openTestStore();
    const { dataset, created } = await store.datasets.create(newDataset);
    expect(created).toBe(true);
    expect(dataset).toMatchObject({ ...newDataset, status: "IMPORTING", version: null, contentHash: null });
    expect(await claimed(store)).toMatchObject({ kind: "IMPORT_DATASET", subjectId: dataset.id, attempt: 1 });
  });

  it("are READY with a version, counts and a manifest when their import is done", async () => {
    const store = await openTestStore();
    const dataset = await readyDataset(store);
    expect(dataset).toMatchObject({ status: "READY", version: 1, rows: 100, manifest: { files: [] } });
    expect(dataset.readyAt).toBeInstanceOf(Date);
    expect(await store.datasets.get(dataset.id)).toEqual(dataset);
    expect(await store.datasets.countsByIds([dataset.id])).toEqual([
      { datasetId: dataset.id, split: "train", scenarioKey: "home_feed", taskKey: "click", rows: 100, positives: 20 },
    ]);
    expect(await store.jobs.claim({ owner: "worker-1", leaseMs: 1000 })).toBeNull();
  });

  it("count versions per name, in the order in which they become ready", async () => {
    const store = await openTestStore();
    for (const name of ["clicks", "views", "clicks"]) await store.datasets.create({ ...newDataset, name });
    const [clicks, views, moreClicks] = [await claimed(store), await claimed(store), await claimed(store)];
    const versions = [];
    for (const job of [moreClicks, clicks, views])
      versions.push((await store.datasets.markReady(job, imported)).version);
    expect(versions).toEqual([1, 2, 1]);
  });

  it("are registered once per name and content", async () => {
    const store = await openTestStore();
    const request = { ...newDataset, contentHash: "c0ffee" };
    const { dataset } = await store.datasets.create(request);
    expect(await store.datasets.create(request)).toEqual({ dataset, created: false });
    expect((await store.datasets.create({ ...request, name: "views" })).created).toBe(true);
    expect((await store.datasets.byContentHash("c0ffee")).map(({ name }) => name)).toEqual(["views", "clicks"]);
  });

  it("are FAILED with the reason when their import fails, and may be registered again", async () => {
    const store = await openTestStore();
    const request = { ...newDataset, contentHash: "c0ffee" };
    const { dataset } = await store.datasets.create(request);
    const error = {
      code: "INVALID_INPUT" as const,
      message: "clicks.csv, line 3, column click: expected 0 or 1, got 2",
      detail: { field: "click", expected: "0 or 1", received: "2" },
    };
    expect(await store.jobs.fail(await claimed(store), error)).toBe(true);
    expect(await store.datasets.get(dataset.id)).toMatchObject({ status: "FAILED", version: null, error });
    expect(await store.datasets.byContentHash("c0ffee")).toEqual([]);
    expect((await store.datasets.create(request)).created).toBe(true);
  });

  it("are listed newest first, by name and status", async () => {
    const store = await openTestStore();
    for (const name of ["clicks", "views", "clicks"]) await store.datasets.create({ ...newDataset, name });
    await store.datasets.markReady(await claimed(store), imported);
    const list = async (filter: object) =>
      (await store.datasets.list({ first: 10, ...filter })).rows.map(({ name, status }) => `${name} ${status}`);
    expect(await list({})).toEqual(["clicks IMPORTING", "views IMPORTING", "clicks READY"]);
    expect(await list({ name: "clicks" })).toEqual(["clicks IMPORTING", "clicks READY"]);
    expect(await list({ status: "READY" })).toEqual(["clicks READY"]);
  });

  it("leave nothing behind where a count names a scenario that is not registered", async () => {
    const store = await openTestStore();
    const { dataset } = await store.datasets.create(newDataset);
    const counts = [{ split: "train" as const, scenarioKey: "nowhere", taskKey: "click", rows: 1, positives: 1 }];
    await expect(store.datasets.markReady(await claimed(store), { ...imported, counts })).rejects.toThrow(
      /[Ff]oreign key/,
    );
    expect(await store.datasets.get(dataset.id)).toEqual(dataset);
    expect(await store.datasets.countsByIds([dataset.id])).toEqual([]);
  });
});
