import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { advanceExperiment } from "../../../src/services/experiment/advanceExperiment.ts";
import { claimed } from "../../store/testStore.ts";
import {
  advance,
  counts,
  due,
  experiment,
  flows,
  hyperParameters,
  runsOf,
  state,
  towers,
  train,
} from "./testExperiment.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describe("advanceExperiment", () => {
  it("begins trials in their order, with what their runs are made from, and ends when all have", async () => {
    const test = await experiment(2, towers, { runBudget: { epochs: 5 } });
    await advance(test);
    expect(await counts(test)).toEqual({ RUNNING: 2 });
    const [first, second] = await runsOf(test);
    expect(first).toMatchObject({ kind: "TRAIN", seed: 0, state: "QUEUED", budget: { epochs: 5 }, pauseAtEpoch: null });
    expect(first!.hyperParameters).toEqual(hyperParameters);
    expect(first!.configurationHash).toBe(second!.configurationHash);
    expect([first!.trialId, second!.trialId]).toEqual(
      (await test.store.experiments.trialsByExperimentIds([test.id])).map((trial) => trial.id),
    );
    await train(test, "SUCCEEDED");
    await advance(test);
    expect(await counts(test)).toEqual({ FINISHED: 1, RUNNING: 1 });
    await train(test, "SUCCEEDED");
    await advance(test);
    expect(await counts(test)).toEqual({ FINISHED: 2 });
    expect(await test.store.experiments.get(test.id)).toMatchObject({
      state: "FINISHED",
      finishedAt: expect.any(Date),
    });
    vi.setSystemTime(Date.now() + 60_000);
    expect(await test.store.jobs.claim({ owner: "worker-1", leaseMs: 1000 })).toBeNull();
  });

  it("keeps 8 runs in the queue, beside those that are being trained", async () => {
    const test = await experiment(20, towers);
    await advance(test);
    expect(await counts(test)).toEqual({ RUNNING: 8, WAITING: 12 });
    await advance(test);
    expect(await counts(test)).toEqual({ RUNNING: 8, WAITING: 12 });
    await claimed(test.store, "worker-2");
    await train(test, "SUCCEEDED");
    await advance(test);
    expect(await counts(test)).toEqual({ FINISHED: 1, RUNNING: 9, WAITING: 10 });
  });

  it("goes on with the other trials when a run fails, or is cancelled by hand", async () => {
    const test = await experiment(3, towers);
    await advance(test);
    await train(test, "FAILED");
    await test.store.runs.cancel((await runsOf(test))[1]!.id);
    await train(test, "SUCCEEDED");
    await advance(test);
    expect(await counts(test)).toEqual({ FAILED: 1, STOPPED: 1, FINISHED: 1 });
    expect(await state(test)).toBe("FINISHED");
  });

  it("prunes a search that has succeeded, and only then is the trial finished", async () => {
    const test = await experiment(1, flows, { runBudget: { seconds: 60 } });
    await advance(test);
    const search = await train(test, "SUCCEEDED");
    await advance(test);
    expect(await counts(test)).toEqual({ RUNNING: 1 });
    await advance(test);
    const [, prune, ...more] = await runsOf(test);
    expect(more).toEqual([]);
    expect(prune).toMatchObject({
      kind: "PRUNE",
      parentRunId: search.id,
      trialId: search.trialId,
      seed: 0,
      pruneThreshold: 0.7,
      hyperParameters: { maxEpochs: 3 },
      budget: { seconds: 60 },
    });
    await train(test, "SUCCEEDED");
    await advance(test);
    expect([await state(test), await counts(test)]).toEqual(["FINISHED", { FINISHED: 1 }]);
  });
});

describe("a worker that dies over an experiment", () => {
  it("neither loses nor doubles a run: what it does late is refused", async () => {
    const test = await experiment(20, towers);
    const { store, id } = test;
    const dead = (await store.jobs.claim({ owner: "worker-1", leaseMs: -1 }))!;
    await store.jobs.requeueLapsed({ maxAttempts: 3 });
    await advanceExperiment(test, await due(test, "worker-2"));
    await expect(advanceExperiment(test, dead)).rejects.toThrow(`job ${dead.jobId}: expected worker-1 to hold it`);
    expect(await runsOf(test)).toHaveLength(8);
    expect((await store.experiments.get(id)).state).toBe("RUNNING");
  });

  it("does not do anything twice, though it does it at the same time", async () => {
    const test = await experiment(3, flows);
    const twice = async (): Promise<void> => {
      const job = await due(test);
      const outcomes = await Promise.allSettled([advanceExperiment(test, job), advanceExperiment(test, job)]);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    };
    await twice();
    expect(await runsOf(test)).toHaveLength(3);
    for (let i = 0; i < 3; i++) await train(test, "SUCCEEDED");
    await twice();
    expect((await runsOf(test)).map(({ kind }) => kind)).toEqual([
      ...Array<string>(3).fill("SEARCH"),
      ...Array<string>(3).fill("PRUNE"),
    ]);
  });

  it("does not use up the attempts of those that come after it, as long as one of them succeeds", async () => {
    const test = await experiment(1, towers);
    for (let i = 0; i < 5; i++) {
      vi.setSystemTime(Date.now() + 1000);
      await test.store.jobs.claim({ owner: "worker-1", leaseMs: -1 });
      await test.store.jobs.requeueLapsed({ maxAttempts: 2 });
      await advance(test);
    }
    expect(await state(test)).toBe("RUNNING");
  });

  it("ends the experiment and everything of it where it dies again and again", async () => {
    const test = await experiment(20, towers);
    await advance(test);
    vi.setSystemTime(Date.now() + 1000);
    await test.store.jobs.claim({ owner: "worker-1", leaseMs: -1 });
    await test.store.jobs.requeueLapsed({ maxAttempts: 1 });
    expect([await state(test), await counts(test)]).toEqual(["CANCELLED", { STOPPED: 20 }]);
    expect(new Set((await runsOf(test)).map((run) => run.state))).toEqual(new Set(["CANCELLED"]));
  });
});

describe("an experiment that is cancelled", () => {
  it("takes its open runs with it, and nobody goes on with it", async () => {
    const test = await experiment(20, towers);
    await advance(test);
    await train(test, "SUCCEEDED");
    await advance(test);
    const job = await due(test);
    expect(await test.store.experiments.cancel(test.id)).toMatchObject({ state: "CANCELLED" });
    expect(await counts(test)).toEqual({ FINISHED: 1, STOPPED: 19 });
    const states = (await runsOf(test)).map((run) => run.state);
    expect(states).toEqual(["SUCCEEDED", ...Array<string>(8).fill("CANCELLED")]);
    await expect(advanceExperiment(test, job)).rejects.toThrow("to hold it");
    expect(await test.store.jobs.isDone(job)).toBe(true);
    await expect(test.store.experiments.cancel(test.id)).rejects.toThrow(
      `experiment ${test.id}: expected an experiment in state RUNNING, but it is CANCELLED`,
    );
  });
});

describe("an experiment with a budget", () => {
  it("of runs begins no more than these, and lets them end", async () => {
    const test = await experiment(3, flows, { budget: { runs: 3 } });
    await advance(test);
    // Three searches: then no prune can follow.
    expect(await runsOf(test)).toHaveLength(3);
    for (let i = 0; i < 3; i++) await train(test, "SUCCEEDED");
    await advance(test);
    expect([await state(test), await counts(test)]).toEqual(["FINISHED", { STOPPED: 3 }]);
    expect(await runsOf(test)).toHaveLength(3);
  });

  it("of fewer runs than it has trials stops those that never began", async () => {
    const test = await experiment(5, towers, { budget: { runs: 2 } });
    await advance(test);
    expect(await counts(test)).toEqual({ RUNNING: 2, STOPPED: 3 });
    await train(test, "SUCCEEDED");
    await train(test, "SUCCEEDED");
    await advance(test);
    expect([await state(test), await counts(test)]).toEqual(["FINISHED", { FINISHED: 2, STOPPED: 3 }]);
  });

  it("of seconds begins nothing after them, and cancels what runs", async () => {
    const test = await experiment(10, towers, { budget: { seconds: 60 } });
    await advance(test);
    await train(test, "SUCCEEDED");
    await claimed(test.store, "worker-2");
    vi.setSystemTime(Date.now() + 60_000);
    await advance(test);
    expect([await state(test), await counts(test)]).toEqual(["FINISHED", { FINISHED: 1, STOPPED: 9 }]);
    const states = (await runsOf(test)).map((run) => run.state);
    expect(states).toEqual(["SUCCEEDED", ...Array<string>(7).fill("CANCELLED")]);
  });
});
