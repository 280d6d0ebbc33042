import { describe, expect, it } from "vitest";
import { claimed, newRun, openTestStore, readyDataset, runningRun, succeededWith } from "./testStore.ts";

describe("runs", () => {
  it("are QUEUED when they are created, with a job to train them", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    expect(run).toMatchObject({ ...newRun(datasetId), state: "QUEUED", attempt: 1, progress: null, startedAt: null });
    expect(await store.runs.get(run.id)).toEqual(run);
    expect(await claimed(store)).toMatchObject({ kind: "TRAIN", subjectId: run.id });
  });

  it("are RUNNING while a worker holds their job", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.runs.recordProgress(lease, { epoch: 2 });
    const running = await store.runs.get(run.id);
    expect(running).toMatchObject({ state: "RUNNING", leaseOwner: "worker-1", progress: { epoch: 2 } });
    expect(running.startedAt).toBeInstanceOf(Date);
  });

  it("are SUCCEEDED with a checkpoint and timings, which ends the job", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const { hash } = await store.artifacts.put(new Uint8Array([1, 2, 3]), "checkpoint");
    const ended = await store.runs.succeed(lease, { ...succeededWith(hash), timings: { total: 1500 } });
    expect(ended).toMatchObject({
      state: "SUCCEEDED",
      checkpointHash: hash,
      stopReason: "COMPLETED",
      timings: { total: 1500 },
      leaseOwner: null,
    });
    expect(await store.runs.get(run.id)).toEqual(ended);
    expect(await store.jobs.isDone(lease)).toBe(true);
  });

  it("are FAILED with the reason", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const error = { code: "INTERNAL" as const, message: "loss is NaN in step 5", detail: {} };
    await store.jobs.fail(lease, error);
    expect(await store.runs.get(run.id)).toMatchObject({ state: "FAILED", error, leaseExpiresAt: null });
  });

  it("can be cancelled while they are QUEUED", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const { id } = await store.runs.create(newRun(datasetId));
    expect(await store.runs.cancel(id)).toMatchObject({ id, state: "CANCELLED" });
    expect(await store.jobs.claim({ owner: "worker-1", leaseMs: 1000 })).toBeNull();
  });

  it("can be cancelled while they are RUNNING, which takes them from their worker", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const cancelled = await store.runs.cancel(run.id);
    expect(cancelled).toMatchObject({ state: "CANCELLED", leaseOwner: null, leaseExpiresAt: null, error: null });
    expect(cancelled.finishedAt).toBeInstanceOf(Date);

    const lost = `job ${lease.jobId}: expected worker-1 to hold it in attempt 1, but it does not any more`;
    await expect(store.runs.recordProgress(lease, { epoch: 2 })).rejects.toThrow(lost);
    await expect(store.metrics.record(lease, 2, [])).rejects.toThrow(lost);
    await expect(store.runs.succeed(lease, succeededWith(""))).rejects.toThrow(lost);
    expect(await store.jobs.heartbeat(lease, 1000)).toBe(false);
    expect(await store.jobs.release(lease)).toBe(false);
    expect(await store.jobs.isDone(lease)).toBe(true);
    expect(await store.runs.get(run.id)).toEqual(cancelled);
  });

  it("do not come back to the queue once they are cancelled, though the lease of their worker runs out", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const { id } = await store.runs.create(newRun(datasetId));
    await store.jobs.claim({ owner: "worker-1", leaseMs: -1 });
    await store.runs.cancel(id);
    expect(await store.jobs.requeueLapsed({ maxAttempts: 3 })).toEqual([]);
    expect((await store.runs.get(id)).state).toBe("CANCELLED");
  });

  it("are listed newest first, a page at a time", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const ids = [];
    for (let i = 0; i < 5; i++) ids.unshift((await store.runs.create(newRun(datasetId))).id);
    const seen: string[] = [];
    let after: string | undefined;
    for (let more = true; more;) {
      const page = await store.runs.list({ first: 2, after });
      seen.push(...page.rows.map(({ id }) => id));
      after = seen.at(-1);
      more = page.hasNextPage;
    }
    expect(seen).toEqual(ids);
  });

  it("are listed by state, kind, dataset and backbone", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const search = await store.runs.create(newRun(datasetId));
    const towers = await store.runs.create({ ...newRun(datasetId), kind: "TRAIN", backboneName: "ple" });
    await store.runs.cancel(towers.id);
    const list = async (filter: object) => (await store.runs.list({ first: 10, ...filter })).rows.map(({ id }) => id);
    expect(await list({ states: ["QUEUED", "RUNNING"] })).toEqual([search.id]);
    expect(await list({ kind: "TRAIN" })).toEqual([towers.id]);
    expect(await list({ backbone: "mmoe" })).toEqual([search.id]);
    expect(await list({ dataset: datasetId })).toEqual([towers.id, search.id]);
    expect(await list({ dataset: "ds_other" })).toEqual([]);
  });

  it("are found by id, by dataset and by the search they prune", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const search = await store.runs.create(newRun(datasetId));
    const prune = await store.runs.create({
      ...newRun(datasetId),
      kind: "PRUNE",
      parentRunId: search.id,
      pruneThreshold: 0.5,
    });
    expect(await store.runs.byIds([prune.id, "run_other"])).toEqual([prune]);
    expect(await store.runs.byParentIds([search.id])).toEqual([prune]);
    expect(await store.runs.pagesByDatasetIds([datasetId], { first: 20 })).toEqual([prune, search]);
  });
});

describe("what a run reports", () => {
  const auc = { split: "test" as const, scenarioKey: "home_feed", taskKey: "click", name: "auc" };

  it("is kept per epoch and for the finished model", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.metrics.record(lease, 1, [{ ...auc, value: 0.6 }]);
    await store.metrics.record(lease, 2, [{ ...auc, value: 0.7 }]);
    await store.metrics.record(lease, null, [{ ...auc, value: null }]);
    const history = await store.metrics.historyByRunIds([run.id]);
    expect(history.map(({ epoch, value }) => [epoch, value])).toEqual([
      [1, 0.6],
      [2, 0.7],
    ]);
    expect(await store.metrics.finalByRunIds([run.id])).toMatchObject([{ ...auc, epoch: null, value: null }]);
  });

  it("replaces what an attempt that died has reported of the same epoch", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.metrics.record(lease, 1, [{ ...auc, value: 0.6 }]);
    await store.metrics.record(lease, 1, [{ ...auc, value: 0.65 }]);
    expect((await store.metrics.historyByRunIds([run.id])).map(({ value }) => value)).toEqual([0.65]);
  });

  it("has the statistics of each flow", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const statistic = { scenarioKey: "home_feed", taskKey: "click", flow: "SHARED_TASK" as const };
    await store.flows.record(lease, [{ ...statistic, shareRemoved: 0.1, meanGate: 0.3 }]);
    await store.flows.record(lease, [{ ...statistic, shareRemoved: 0.2, meanGate: 0.4 }]);
    expect(await store.flows.byRunIds([run.id])).toEqual([
      {
        ...statistic,
        runId: run.id,
        shareRemoved: 0.2,
        meanGate: 0.4,
        entropy: null,
        saturation: null,
        meanLogit: null,
      },
    ]);
  });
});
