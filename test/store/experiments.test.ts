import { describe, expect, it } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { claimed, newRun, openTestStore, readyDataset } from "./testStore.ts";

async function newExperiment(store: Store, trials = 3): Promise<{ id: string; datasetId: string; trialIds: string[] }> {
  const { id: datasetId } = await readyDataset(store);
  const { id } = await store.experiments.create({
    name: "seeds",
    spec: { seeds: trials },
    trials: Array.from({ length: trials }, (_, seed) => ({ configuration: { name: "mmoe" }, datasetId, seed })),
  });
  const rows = await store.experiments.trialsByExperimentIds([id]);
  return { id, datasetId, trialIds: rows.map((trial) => trial.id) };
}

describe("an experiment", () => {
  it("is written with its trials, which wait, and its job, which goes before trainings", async () => {
    const store = await openTestStore();
    const { id, datasetId } = await newExperiment(store);
    await store.runs.create(newRun(datasetId));
    expect(await store.experiments.get(id)).toMatchObject({
      name: "seeds",
      spec: { seeds: 3 },
      state: "RUNNING",
      createdAt: expect.any(Date),
      finishedAt: null,
    });
    const trial = { experimentId: id, configuration: { name: "mmoe" }, datasetId, state: "WAITING", rung: 0 };
    const rows = await store.experiments.trialPagesByExperimentIds([id], { first: 10 });
    expect(rows).toMatchObject([0, 1, 2].map((seed) => ({ ...trial, number: seed + 1, seed })));
    expect(await claimed(store)).toMatchObject({ kind: "ADVANCE_EXPERIMENT", subjectId: id, attempt: 1 });
  });

  it("may have ten thousand trials", async () => {
    const store = await openTestStore();
    const { id, trialIds } = await newExperiment(store, 10_000);
    expect(trialIds).toHaveLength(10_000);
    expect(trialIds.toSorted()).toEqual(trialIds);
    expect(await store.experiments.countsByExperimentIds([id])).toEqual([
      { experimentId: id, state: "WAITING", count: 10_000 },
    ]);
    const standings = await store.experiments.standings(id, ["WAITING"]);
    expect(standings.map(({ number }) => number)).toEqual(trialIds.map((_, index) => index + 1));
  });

  it("is not there under another id", async () => {
    const store = await openTestStore();
    await expect(store.experiments.get("exp_0")).rejects.toThrow(
      "experiment exp_0: expected the id of an experiment, but there is none with this id",
    );
    await expect(store.experiments.cancel("exp_0")).rejects.toThrow("experiment exp_0: expected the id");
  });

  it("is listed newest first, by state, page by page", async () => {
    const store = await openTestStore();
    const create = (name: string) => store.experiments.create({ name, spec: {}, trials: [] });
    const [first, second] = [await create("first"), await create("second")];
    await store.experiments.cancel(first.id);
    const page = await store.experiments.list({ first: 1 });
    expect(page).toMatchObject({ rows: [{ id: second.id }], hasNextPage: true });
    expect(await store.experiments.list({ first: 1, after: second.id })).toMatchObject({ rows: [{ id: first.id }] });
    expect(await store.experiments.list({ first: 2, states: ["CANCELLED"] })).toMatchObject({
      rows: [{ id: first.id, finishedAt: expect.any(Date) }],
    });
  });
});

describe("advance", () => {
  it("does each step only where it still applies", async () => {
    const store = await openTestStore();
    const { id, datasetId, trialIds } = await newExperiment(store);
    const [trialId] = trialIds as [string];
    const begin = { kind: "BEGIN", trialId, run: newRun(datasetId) } as const;
    await store.experiments.advance(await claimed(store), { moves: [begin, begin], stopWaiting: false }, 0);
    const [standing] = await store.experiments.standings(id, ["RUNNING"]);
    const runId = standing!.runs[0]!.id;
    expect(standing).toMatchObject({ id: trialId, runs: [{ kind: "SEARCH", state: "QUEUED" }] });

    const promote = { kind: "PROMOTE", trialId, runId, rung: 1, pauseAtEpoch: 3 } as const;
    await store.experiments.advance(await claimed(store), { moves: [promote], stopWaiting: false }, 0);
    // It was not held.
    expect((await store.experiments.trialsByIds([trialId]))[0]).toMatchObject({ rung: 0 });
    await store.runs.pause(runId);
    await store.experiments.advance(await claimed(store), { moves: [promote, promote], stopWaiting: false }, 0);
    expect((await store.experiments.trialsByIds([trialId]))[0]).toMatchObject({ rung: 1 });
    expect(await store.runs.get(runId)).toMatchObject({ state: "QUEUED", pauseAtEpoch: 3 });

    const prune = { kind: "PRUNE", trialId, run: { ...newRun(datasetId), kind: "PRUNE", parentRunId: runId } } as const;
    const end = { kind: "END", trialId, state: "FINISHED" } as const;
    await store.experiments.advance(await claimed(store), { moves: [prune, prune, end, prune], stopWaiting: false }, 0);
    expect((await store.experiments.standings(id, ["FINISHED"]))[0]!.runs).toHaveLength(2);
  });

  it("does not stop a trial whose run has ended meanwhile", async () => {
    const store = await openTestStore();
    const { id, datasetId, trialIds } = await newExperiment(store);
    const [trialId] = trialIds as [string];
    const begin = { kind: "BEGIN", trialId, run: newRun(datasetId) } as const;
    await store.experiments.advance(await claimed(store), { moves: [begin], stopWaiting: false }, 0);
    const runId = (await store.experiments.standings(id, ["RUNNING"]))[0]!.runs[0]!.id;
    const job = await claimed(store);
    await store.runs.cancel(runId);
    await store.experiments.advance(job, { moves: [{ kind: "STOP", trialId, runId }], stopWaiting: false }, 0);
    expect((await store.experiments.trialsByIds([trialId]))[0]).toMatchObject({ state: "RUNNING" });
    const stop = { kind: "STOP", trialId, runId: null } as const;
    await store.experiments.advance(await claimed(store), { moves: [stop], stopWaiting: true }, 0);
    expect(await store.experiments.get(id)).toMatchObject({ state: "FINISHED" });
  });

  it("writes nothing at all where the lease is lost", async () => {
    const store = await openTestStore();
    const { id, datasetId, trialIds } = await newExperiment(store);
    const job = (await store.jobs.claim({ owner: "worker-1", leaseMs: -1 }))!;
    await store.jobs.requeueLapsed({ maxAttempts: 3 });
    const begin = { kind: "BEGIN", trialId: trialIds[0]!, run: newRun(datasetId) } as const;
    await expect(store.experiments.advance(job, { moves: [begin], stopWaiting: true }, 0)).rejects.toThrow(
      "to hold it",
    );
    expect(await store.experiments.standings(id, ["RUNNING", "STOPPED"])).toEqual([]);
  });

  it("gives the job back for later", async () => {
    const store = await openTestStore();
    await newExperiment(store);
    await store.experiments.advance(await claimed(store), { moves: [], stopWaiting: false }, 60_000);
    expect(await store.jobs.claim({ owner: "worker-2", leaseMs: 1000 })).toBeNull();
  });
});
