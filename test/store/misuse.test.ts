import { describe, expect, it } from "vitest";
import { claimed, newDataset, newRun, openTestStore, readyDataset, runningRun, succeededWith } from "./testStore.ts";

describe("an id that nobody has", () => {
  it("is not found", async () => {
    const store = await openTestStore();
    await expect(store.runs.get("run_1")).rejects.toMatchObject({
      name: "NotFoundError",
      message: "run run_1: expected the id of a run, but there is none with this id",
    });
    await expect(store.datasets.get("ds_1")).rejects.toThrow("dataset ds_1: expected the id of a dataset");
    await expect(store.runs.cancel("run_1")).rejects.toThrow("run run_1: expected the id of a run");
  });

  it("is no dataset to train on: neither a run nor a job is written", async () => {
    const store = await openTestStore();
    await expect(store.runs.create(newRun("ds_1"))).rejects.toThrow("dataset ds_1: expected the id of a dataset");
    expect((await store.runs.list({ first: 1 })).rows).toEqual([]);
    expect(await store.jobs.claim({ owner: "worker-1", leaseMs: 1000 })).toBeNull();
  });
});

describe("a run that has ended", () => {
  it("cannot be cancelled", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.jobs.fail(lease, { code: "INTERNAL", message: "loss is NaN in step 5", detail: {} });
    await expect(store.runs.cancel(run.id)).rejects.toMatchObject({
      name: "ConflictError",
      message: `run ${run.id}: expected a run in state QUEUED, RUNNING or PAUSED, but it is FAILED`,
      detail: { field: "id", expected: "a run in state QUEUED, RUNNING or PAUSED", received: "FAILED" },
    });
  });

  it("cannot be cancelled twice", async () => {
    const store = await openTestStore();
    const { run } = await runningRun(store);
    await store.runs.cancel(run.id);
    await expect(store.runs.cancel(run.id)).rejects.toMatchObject({ detail: { received: "CANCELLED" } });
  });
});

describe("a worker that has lost its lease", () => {
  it("can write nothing, whatever it tries", async () => {
    const store = await openTestStore();
    const dataset = await readyDataset(store);
    const run = await store.runs.create(newRun(dataset.id));
    const old = (await store.jobs.claim({ owner: "worker-1", leaseMs: -1 }))!;
    await store.jobs.requeueLapsed({ maxAttempts: 3 });
    const current = await claimed(store, "worker-2");
    const before = await store.runs.get(run.id);

    const lost = `job ${old.jobId}: expected worker-1 to hold it in attempt 1, but it does not any more`;
    await expect(store.runs.recordProgress(old, {})).rejects.toThrow(lost);
    await expect(store.metrics.record(old, 1, [])).rejects.toThrow(lost);
    await expect(store.flows.record(old, [])).rejects.toThrow(lost);
    await expect(store.flows.recordEpoch(old, { epoch: 1, temperature: 1 }, [])).rejects.toThrow(lost);
    await expect(store.flows.recordEffects(old, [])).rejects.toThrow(lost);
    await expect(store.runs.succeed(old, succeededWith(""))).rejects.toThrow(lost);
    expect(await store.jobs.heartbeat(old, 1000)).toBe(false);
    expect(await store.jobs.release(old)).toBe(false);
    expect(await store.jobs.fail(old, { code: "INTERNAL", message: "", detail: {} })).toBe(false);

    expect(await store.runs.get(run.id)).toEqual(before);
    await store.runs.recordProgress(current, { epoch: 1 });
  });

  it("is refused in a later attempt too, though it has the same name", async () => {
    const store = await openTestStore();
    await store.datasets.create(newDataset);
    const old = (await store.jobs.claim({ owner: "worker-1", leaseMs: -1 }))!;
    await store.jobs.requeueLapsed({ maxAttempts: 3 });
    await claimed(store, "worker-1");
    await expect(
      store.datasets.markReady(old, { contentHash: "c0ffee", rows: 0, manifest: null, artifactHashes: [], counts: [] }),
    ).rejects.toMatchObject({ name: "ConflictError" });
  });
});
