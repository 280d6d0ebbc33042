import { describe, expect, it } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { claimed, newRun, openTestStore, readyDataset, runningRun, succeededWith } from "./testStore.ts";

const eventsOf = async (store: Store, id: string) =>
  (await store.events.list(id, { after: 0, first: 100 })).map(({ kind, content }) => [kind, content]);

const putState = async (store: Store, byte: number) =>
  (await store.artifacts.put(new Uint8Array([byte]), "training-state")).hash;

describe("a run that is paused", () => {
  it("while it waits is PAUSED at once, and nobody takes it until it is resumed", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const { id } = await store.runs.create(newRun(datasetId));
    expect(await store.runs.pause(id)).toMatchObject({ state: "PAUSED" });
    expect(await store.jobs.claim({ owner: "worker-1", leaseMs: 1000 })).toBeNull();
    expect(await store.runs.resume(id)).toMatchObject({ state: "QUEUED" });
    expect(await claimed(store)).toMatchObject({ subjectId: id, attempt: 1 });
  });

  it("while it is trained is PAUSED when its worker has let go of it", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    expect(await store.runs.isPauseRequested(lease)).toBe(false);
    expect(await store.runs.pause(run.id)).toMatchObject({ state: "RUNNING", pauseRequested: true });
    expect(await store.runs.isPauseRequested(lease)).toBe(true);
    await store.runs.markPaused(lease, { isAtEpoch: false });
    expect(await store.runs.get(run.id)).toMatchObject({ state: "PAUSED", pauseRequested: false, leaseOwner: null });
    expect(await store.jobs.isHeld(lease)).toBe(false);
  });

  it("while it is trained is PAUSED though its worker dies or is stopped before", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const { id } = await store.runs.create(newRun(datasetId));
    await store.jobs.claim({ owner: "worker-1", leaseMs: -1 });
    await store.runs.pause(id);
    await store.jobs.requeueLapsed({ maxAttempts: 3 });
    expect(await store.runs.get(id)).toMatchObject({ state: "PAUSED", attempt: 2, pauseRequested: false });

    await store.runs.resume(id);
    const lease = await claimed(store);
    await store.runs.pause(id);
    await store.jobs.release(lease);
    expect(await store.runs.get(id)).toMatchObject({ state: "PAUSED", attempt: 2, pauseRequested: false });
    expect(await store.jobs.claim({ owner: "worker-1", leaseMs: 1000 })).toBeNull();
  });

  it("can be cancelled", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const { id } = await store.runs.create(newRun(datasetId));
    await store.runs.pause(id);
    expect(await store.runs.cancel(id)).toMatchObject({ state: "CANCELLED" });
    await expect(store.runs.resume(id)).rejects.toThrow(
      `run ${id}: expected a run in state PAUSED, but it is CANCELLED`,
    );
    await expect(store.runs.pause(id)).rejects.toThrow(
      "expected a run in state QUEUED or RUNNING, but it is CANCELLED",
    );
  });
});

describe("the state a training saves", () => {
  it("replaces the one before, which is told to be needed no more", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const [first, second] = [await putState(store, 1), await putState(store, 2)];
    const place = { epoch: 0, step: 5, isModel: false };
    expect(await store.runs.saveTraining(lease, { hash: first, ...place })).toBeNull();
    expect(await store.runs.get(run.id)).toMatchObject({ trainingStateHash: first, checkpointHash: null });
    expect(await store.runs.saveTraining(lease, { hash: second, epoch: 1, step: 0, isModel: true })).toBe(first);
    expect(await store.runs.get(run.id)).toMatchObject({ trainingStateHash: second, checkpointHash: second });
    expect(await eventsOf(store, run.id)).toContainEqual(["CHECKPOINT", { epoch: 1, step: 0 }]);
  });

  it("is the best checkpoint of a run that is cancelled or fails", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const hash = await putState(store, 1);
    await store.runs.saveTraining(lease, { hash, epoch: 1, step: 0, isModel: true });
    await store.runs.cancel(run.id);
    expect(await store.runs.get(run.id)).toMatchObject({ checkpointHash: hash, trainingStateHash: null });
    const { id } = await store.runs.create(newRun(run.datasetId));
    const other = await claimed(store);
    await store.runs.saveTraining(other, { hash, epoch: 1, step: 0, isModel: true });
    await store.jobs.fail(other, { code: "DIVERGED", message: "", detail: {} });
    expect(await store.runs.get(id)).toMatchObject({ checkpointHash: hash, trainingStateHash: null });
  });

  it("is collected once no run needs it", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const state = await store.artifacts.put(new Uint8Array([1]), "training-state");
    const { hash } = state;
    await store.runs.saveTraining(lease, { hash, epoch: 1, step: 0, isModel: true });
    await store.artifacts.collect(state);
    expect([...(await store.artifacts.read(hash))]).toEqual([1]);
    const final = (await store.artifacts.put(new Uint8Array([2]), "checkpoint")).hash;
    await store.runs.succeed(lease, succeededWith(final));
    await store.artifacts.collect(state);
    await expect(store.artifacts.read(hash)).rejects.toThrow("there is none");
    expect((await store.runs.get(run.id)).checkpointHash).toBe(final);
  });

  it("starts the count of dead workers anew", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const { id } = await store.runs.create(newRun(datasetId));
    const hash = await putState(store, 1);
    for (const attempt of [1, 2, 3]) {
      const lease = (await store.jobs.claim({ owner: `worker-${attempt}`, leaseMs: -1 }))!;
      await store.runs.saveTraining(lease, { hash, epoch: attempt, step: 0, isModel: true });
      await store.jobs.requeueLapsed({ maxAttempts: 2 });
    }
    expect(await store.runs.get(id)).toMatchObject({ state: "QUEUED", attempt: 4 });
    await store.jobs.claim({ owner: "worker-4", leaseMs: -1 });
    await store.jobs.requeueLapsed({ maxAttempts: 2 });
    expect(await store.runs.get(id)).toMatchObject({ state: "FAILED", error: { code: "WORKER_DIED" } });
  });

  it("is refused from a worker that has lost the run", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const hash = await putState(store, 1);
    await store.runs.cancel(run.id);
    const lost = "expected worker-1 to hold it in attempt 1, but it does not any more";
    await expect(store.runs.saveTraining(lease, { hash, epoch: 1, step: 0, isModel: true })).rejects.toThrow(lost);
    await expect(store.runs.markPaused(lease, { isAtEpoch: false })).rejects.toThrow(lost);
    await expect(store.runs.recordVersions(lease, {})).rejects.toThrow(lost);
    expect((await store.runs.get(run.id)).checkpointHash).toBeNull();
  });
});

describe("the events of a run", () => {
  it("tell every move and report, numbered from 1 without a gap", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.runs.recordProgress(lease, { epoch: 1 });
    await store.runs.pause(run.id);
    await store.runs.markPaused(lease, { isAtEpoch: false });
    await store.runs.resume(run.id);
    const again = await claimed(store, "worker-2");
    const { hash } = await store.artifacts.put(new Uint8Array([1]), "checkpoint");
    await store.runs.succeed(again, succeededWith(hash));
    expect(await eventsOf(store, run.id)).toEqual([
      ["STATE", { state: "QUEUED", attempt: 1 }],
      ["STATE", { state: "RUNNING", attempt: 1 }],
      ["PROGRESS", { epoch: 1 }],
      ["STATE", { state: "PAUSED" }],
      ["STATE", { state: "QUEUED" }],
      ["STATE", { state: "RUNNING", attempt: 1 }],
      ["STATE", { state: "SUCCEEDED", stopReason: "COMPLETED" }],
    ]);
    const later = await store.events.list(run.id, { after: 5, first: 1 });
    expect(later.map(({ sequence }) => sequence)).toEqual([6]);
    expect(await store.events.lastByRunIds([run.id, "run_other"])).toEqual([{ runId: run.id, sequence: 7 }]);
  });
});
