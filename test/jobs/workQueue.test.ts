import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { workQueue } from "../../src/jobs/workQueue.ts";
import type { JobHandler } from "../../src/jobs/workQueue.ts";
import { InvalidInputError } from "../../src/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { recordedLog } from "./recordedLog.ts";
import type { RecordedLog } from "./recordedLog.ts";
import { newDataset, newRun, openTestStore, readyDataset } from "../store/testStore.ts";

const imported = { contentHash: "c0ffee", rows: 0, manifest: null, artifactHashes: [], counts: [] };

/** Works with one handler for both kinds on everything that waits; returns what was logged. */
async function workOn(store: Store, handler: JobHandler): Promise<RecordedLog> {
  const stop = new AbortController();
  const log = recordedLog();
  const last = await store.datasets.create({ ...newDataset, name: "last" });
  const untilLast: JobHandler = async (job, context) => {
    if (job.subjectId !== last.dataset.id) return handler(job, context);
    await store.datasets.markReady(job, imported);
    stop.abort();
  };
  const handlers = { IMPORT_DATASET: untilLast, TRAIN: untilLast, ADVANCE_EXPERIMENT: untilLast };
  await workQueue({ store, owner: "worker-1", handlers, signal: stop.signal, log });
  return log;
}

describe("workQueue", () => {
  it("gives each job to the handler of its kind", async () => {
    const store = await openTestStore();
    const { dataset } = await store.datasets.create(newDataset);
    await workOn(store, async (job) => {
      expect(job).toMatchObject({ kind: "IMPORT_DATASET", subjectId: dataset.id, owner: "worker-1", attempt: 1 });
      await store.datasets.markReady(job, imported);
    });
    expect(await store.datasets.get(dataset.id)).toMatchObject({ status: "READY", version: 1 });
  });

  it("takes the jobs in the order in which they were written, one at a time", async () => {
    const store = await openTestStore();
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await store.datasets.create(newDataset)).dataset.id);
    const seen: string[] = [];
    let atOnce = 0;
    await workOn(store, async (job) => {
      expect(++atOnce).toBe(1);
      seen.push(job.subjectId);
      await store.datasets.markReady(job, imported);
      atOnce--;
    });
    expect(seen).toEqual(ids);
  });

  it("records what a handler throws as the reason of the failure", async () => {
    const store = await openTestStore();
    const { dataset } = await store.datasets.create(newDataset);
    await workOn(store, () => {
      throw new InvalidInputError("clicks.csv: expected a column click, but there is none", { field: "click" });
    });
    expect(await store.datasets.get(dataset.id)).toMatchObject({
      status: "FAILED",
      error: {
        code: "INVALID_INPUT",
        message: "clicks.csv: expected a column click, but there is none",
        detail: { field: "click" },
      },
    });
  });

  it("records and logs a fault of ours as INTERNAL", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    const log = await workOn(store, () => Promise.reject(new Error("loss is NaN in step 5")));
    expect(await store.runs.get(run.id)).toMatchObject({
      state: "FAILED",
      error: { code: "INTERNAL", message: "loss is NaN in step 5", detail: {} },
    });
    expect(log.messages).toEqual([expect.stringMatching(/^job job_\w+: failed: loss is NaN in step 5$/)]);
    expect(log.errors).toEqual([new Error("loss is NaN in step 5")]);
  });

  it("fails a job whose handler returns without a result", async () => {
    const store = await openTestStore();
    const { dataset } = await store.datasets.create(newDataset);
    await workOn(store, () => Promise.resolve());
    expect((await store.datasets.get(dataset.id)).error?.message).toBe(
      `${dataset.id}: the handler of IMPORT_DATASET returned, but wrote no result`,
    );
  });

  it("returns at once where it is asked to stop with nothing to do", async () => {
    const store = await openTestStore();
    const idle = () => Promise.resolve();
    const handlers = { IMPORT_DATASET: idle, TRAIN: idle, ADVANCE_EXPERIMENT: idle };
    const stop = new AbortController();
    const work = workQueue({ store, owner: "worker-1", handlers, signal: stop.signal, pollMs: 3_600_000 });
    stop.abort();
    await work;
  });

  it("releases the job in hand when it is asked to stop, in the same attempt", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    const stop = new AbortController();
    const TRAIN: JobHandler = async (_, { stopping }) => {
      setImmediate(() => stop.abort());
      await once(stopping, "abort");
      throw new Error("interrupted");
    };
    const handlers = { IMPORT_DATASET: TRAIN, TRAIN, ADVANCE_EXPERIMENT: TRAIN };
    await workQueue({ store, owner: "worker-1", handlers, signal: stop.signal });
    expect(await store.runs.get(run.id)).toMatchObject({ state: "QUEUED", attempt: 1, leaseOwner: null, error: null });
    expect(await store.jobs.claim({ owner: "worker-2", leaseMs: 1000 })).toMatchObject({
      subjectId: run.id,
      attempt: 1,
    });
  });

  it("keeps the lease with heartbeats while a handler works longer than it lasts", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    const stop = new AbortController();
    const leaseMs = 200;
    const leaseEnd = async () => (await store.runs.get(run.id)).leaseExpiresAt!.getTime();
    const TRAIN: JobHandler = async () => {
      const first = await leaseEnd();
      while ((await leaseEnd()) < first + 2 * leaseMs) await new Promise(setImmediate);
      stop.abort();
    };
    const handlers = { IMPORT_DATASET: TRAIN, TRAIN, ADVANCE_EXPERIMENT: TRAIN };
    await workQueue({ store, owner: "worker-1", handlers, signal: stop.signal, leaseMs });
    expect(await store.runs.get(run.id)).toMatchObject({ state: "QUEUED", attempt: 1 });
  });

  it("tells the handler when the lease is lost, and leaves the job to its new owner", async () => {
    const store = await openTestStore();
    await store.datasets.create(newDataset);
    const stop = new AbortController();
    const log = recordedLog();
    const IMPORT_DATASET: JobHandler = async (job, { lost }) => {
      await store.jobs.release(job);
      expect(await store.jobs.claim({ owner: "worker-2", leaseMs: 60_000 })).toMatchObject({ jobId: job.jobId });
      await once(lost, "abort");
      stop.abort();
      throw new Error("interrupted");
    };
    const handlers = { IMPORT_DATASET, TRAIN: IMPORT_DATASET, ADVANCE_EXPERIMENT: IMPORT_DATASET };
    const signal = stop.signal;
    await workQueue({ store, owner: "worker-1", handlers, signal, leaseMs: 60, log });
    expect(log.messages).toEqual([expect.stringMatching(/^job job_\w+: worker-1 has lost it in attempt 1$/)]);
    expect((await store.datasets.list({ first: 1 })).rows[0]).toMatchObject({ status: "IMPORTING", error: null });
  });
});

describe("a run that is cancelled while it is worked on", () => {
  it("is left by its worker in silence, which takes the next job", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    const last = await store.datasets.create({ ...newDataset, name: "last" });
    const stop = new AbortController();
    const log = recordedLog();
    const handlers = {
      ADVANCE_EXPERIMENT: () => Promise.reject(new Error("expected a training")),
      TRAIN: async (_, { lost }) => {
        await store.runs.cancel(run.id);
        await once(lost, "abort");
        throw new Error("interrupted");
      },
      IMPORT_DATASET: async (job) => {
        await store.datasets.markReady(job, imported);
        stop.abort();
      },
    } satisfies Record<string, JobHandler>;
    const { signal } = stop;
    await workQueue({ store, owner: "worker-1", handlers, signal, leaseMs: 60, log });
    expect(log.messages).toEqual([]);
    expect(await store.runs.get(run.id)).toMatchObject({ state: "CANCELLED", error: null });
    expect(await store.datasets.get(last.dataset.id)).toMatchObject({ status: "READY" });
  });
});

describe("a run whose worker finds the disk full", () => {
  it("is not failed: the worker ends, and the run goes back to the queue when the lease lapses", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    await expect(workOn(store, () => Promise.reject(full))).rejects.toBe(full);
    expect(await store.runs.get(run.id)).toMatchObject({ state: "RUNNING", error: null });
  });
});

describe("a run that its handler has paused", () => {
  it("is left alone, and its worker takes the next job", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    const { messages } = await workOn(store, (job) => store.runs.markPaused(job, { isAtEpoch: false }));
    expect(messages).toEqual([]);
    expect(await store.runs.get(run.id)).toMatchObject({ state: "PAUSED", error: null, attempt: 1 });
  });
});

describe("a job whose workers die again and again", () => {
  it("is tried as often as allowed, then failed with that reason", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    for (const attempt of [1, 2, 3]) {
      const job = await store.jobs.claim({ owner: `worker-${attempt}`, leaseMs: -1 });
      expect(job).toMatchObject({ subjectId: run.id, attempt });
      const outcome = attempt < 3 ? "QUEUED" : "FAILED";
      expect(await store.jobs.requeueLapsed({ maxAttempts: 3 })).toMatchObject([
        { jobId: job?.jobId, attempt, outcome },
      ]);
      expect((await store.runs.get(run.id)).state).toBe(outcome);
    }
    expect((await store.runs.get(run.id)).error).toMatchObject({
      code: "WORKER_DIED",
      message: `${run.id}: given up because its worker process died 3 times, the last time in worker-3`,
    });
    expect(await store.jobs.claim({ owner: "worker-4", leaseMs: 1000 })).toBeNull();
  });

  it("fails the dataset it was to import", async () => {
    const store = await openTestStore();
    const { dataset } = await store.datasets.create(newDataset);
    await store.jobs.claim({ owner: "worker-1", leaseMs: -1 });
    await store.jobs.requeueLapsed({ maxAttempts: 1 });
    expect(await store.datasets.get(dataset.id)).toMatchObject({
      status: "FAILED",
      error: {
        code: "WORKER_DIED",
        message: `${dataset.id}: given up because its worker process died, the last time in worker-1`,
      },
    });
  });
});
