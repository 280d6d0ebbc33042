import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TrialConfiguration } from "../../../src/services/experiment/experimentSpec.ts";
import { advance, counts, endRun, experiment, flows, runsOf, state, towers } from "./testExperiment.ts";
import type { End, Experiment } from "./testExperiment.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const asha = { kind: "ASHA", seed: 1, points: 9, rungs: { epochs: [1, 3, 9], reductionFactor: 3 } } as const;

describe("an ASHA sweep", () => {
  const scores = [0.51, 0.58, 0.53, 0.54, 0.59, 0.52, 0.57, 0.55, 0.56];
  const sweepOf = (configuration: TrialConfiguration) => experiment(scores.length, configuration, { sweep: asha });

  const standings = ({ store, id }: Experiment) =>
    store.experiments.standings(id, ["WAITING", "RUNNING", "FINISHED", "STOPPED", "FAILED"]);

  /** Looks once, then trains all runs that wait, to their next rung or their end; tells which and how far. */
  async function round(
    test: Experiment,
    endOf: (number: number) => End | undefined = () => undefined,
  ): Promise<string[]> {
    const { store } = test;
    await advance(test);
    const trained: string[] = [];
    for (;;) {
      const lease = await store.jobs.claim({ owner: "worker-1", leaseMs: 60_000 });
      if (lease === null) return trained;
      const { kind, trialId, pauseAtEpoch } = await store.runs.get(lease.subjectId);
      const { number } = (await store.experiments.trialsByIds([trialId!]))[0]!;
      const end = endOf(number) ?? (pauseAtEpoch === null ? "SUCCEEDED" : "PAUSED");
      await endRun(store, lease, end, pauseAtEpoch ?? 9, scores[number - 1]!);
      trained.push(`${kind} ${number} to ${pauseAtEpoch ?? "its end"}`);
    }
  }

  it("holds trials at the rungs, sends the best third on, and gives up the rest", async () => {
    const test = await sweepOf(towers);
    expect(await round(test)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `TRAIN ${number} to 1`));
    // A third of eight are two: 5 and 2. The last one is begun beside them.
    expect((await round(test)).toSorted()).toEqual(["TRAIN 2 to 3", "TRAIN 5 to 3", "TRAIN 9 to 1"]);
    // A third of nine are three: 7 too.
    expect(await round(test)).toEqual(["TRAIN 7 to 3"]);
    expect(await round(test)).toEqual(["TRAIN 5 to its end"]);
    await advance(test);
    expect([await state(test), await counts(test)]).toEqual(["FINISHED", { FINISHED: 1, STOPPED: 8 }]);
    const [rungs, ends] = [
      [0, 1, 0, 0, 2, 0, 1, 0, 0],
      ["CANCELLED", "CANCELLED", "SUCCEEDED"],
    ];
    expect((await standings(test)).map(({ rung, runs }) => [rung, runs[0]!.state])).toEqual(
      rungs.map((rung) => [rung, ends[rung]]),
    );
  });

  it("cuts runs off at the last rung, and holds them at the others", async () => {
    const test = await sweepOf(towers);
    await advance(test);
    expect((await runsOf(test))[0]).toMatchObject({ pauseAtEpoch: 1, budget: { epochs: 9 } });
  });

  it("of searches prunes only those that have come to their end", async () => {
    const test = await sweepOf(flows);
    // Not cut off: the search has ten epochs anyway.
    const trained = [];
    while ((await state(test)) === "RUNNING") trained.push(...(await round(test)));
    expect(trained.filter((what) => what.startsWith("PRUNE"))).toEqual(["PRUNE 5 to its end"]);
    expect(await counts(test)).toEqual({ FINISHED: 1, STOPPED: 8 });
  });

  it("leaves out trials that fail, and lets one that ends early stand", async () => {
    const test = await sweepOf(towers);
    // The best fails, the second best stops early at the first rung.
    const endOf = (number: number): End | undefined =>
      number === 5 ? "FAILED" : number === 2 ? "SUCCEEDED" : undefined;
    await round(test, endOf);
    const trained = [];
    while ((await state(test)) === "RUNNING") trained.push(...(await round(test, endOf)));
    // Of the eight that are left two may go on; one of them is at its end already.
    expect(trained).toEqual(["TRAIN 7 to 3", "TRAIN 9 to 1", "TRAIN 7 to its end"]);
    expect(await counts(test)).toEqual({ FAILED: 1, FINISHED: 2, STOPPED: 6 });
  });

  it("does not weigh a run that was paused by hand before its rung", async () => {
    const test = await sweepOf(towers);
    await advance(test);
    const [first] = await runsOf(test);
    await test.store.runs.pause(first!.id);
    await round(test);
    for (let i = 0; i < 5; i++) await round(test);
    expect(await state(test)).toBe("RUNNING");
    expect((await standings(test))[0]).toMatchObject({ state: "RUNNING", rung: 0, runs: [{ state: "PAUSED" }] });
    await test.store.runs.cancel(first!.id);
    await round(test);
    await round(test);
    expect(await state(test)).toBe("FINISHED");
  });
});
