import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hearStatements } from "../../bench/statements.ts";
import { finishedRun, madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";

const replayRun = `mutation ($run: ID!) { replayRun(input: { run: $run }) { run { id state replay { sameWeights } } } }`;
const replay = `query ($id: ID!) {
  run(id: $id) {
    replays { id }
    replay {
      of { id } sameWeights sameMetrics sameData differingMetrics
      differences { split scenario { key } task { key } name original replayed difference }
      versions { name original replayed }
    }
  }
}`;

let made: MadeServer;
let dataset: string;
let run: string;

beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
  run = await madeRun(made.store, { dataset, seed: 1, skill: 2 });
});
afterAll(() => made.close());

/** Queues a replay; answers its id. */
async function queued(of: string): Promise<string> {
  const { data, errors } = await made.server.query(replayRun, { run: of });
  if (errors) throw new Error(errors[0]!.message);
  return data.replayRun.run.id;
}

const read = async (id: string) => (await made.server.query(replay, { id })).data.run;

describe("replayRun", () => {
  it("queues the run again, and says nothing of the outcome until it has ended", async () => {
    const { data } = await made.server.query(replayRun, { run });
    const { id } = data.replayRun.run;
    expect(data.replayRun.run).toEqual({ id, state: "QUEUED", replay: null });
    expect((await read(run)).replays).toEqual([{ id }]);
    await finishedRun(made.store, 2);
    expect((await read(id)).replay).toEqual({
      of: { id: run },
      sameWeights: true,
      sameMetrics: true,
      sameData: true,
      differingMetrics: 0,
      differences: [],
      versions: [],
    });
  });

  it("tells which figures and versions differ where it did not come out the same", async () => {
    const first = await madeRun(made.store, { dataset, seed: 2, skill: 2 });
    const id = await queued(first);
    await finishedRun(made.store, 2.1, { versions: { node: "20.0.0" } });
    const outcome = (await read(id)).replay;
    expect(outcome).toMatchObject({ sameWeights: false, sameMetrics: false, sameData: true });
    expect(outcome.versions).toEqual([{ name: "node", original: null, replayed: "20.0.0" }]);
    // Five metrics in each of four cells, of which those that need both labels do not exist in search × like.
    expect(outcome.differingMetrics).toBeGreaterThan(15);
    expect(outcome.differences).toHaveLength(10);
    for (const { original, replayed, difference } of outcome.differences) expect(difference).toBe(replayed - original);
    const sizes = outcome.differences.map(({ difference }: { difference: number }) => Math.abs(difference));
    expect(sizes).toEqual(sizes.toSorted((a: number, b: number) => b - a));
  });

  it("repeats the whole record, but neither its trial nor the time of its budget", async () => {
    const search = await madeRun(made.store, { dataset, seed: 3, skill: 2, record: { kind: "SEARCH" } });
    const record = {
      kind: "PRUNE",
      parentRunId: search,
      pruneThreshold: 0.4,
      pruneRule: { granularity: "CELL", threshold: 0.4, allowedLoss: { auc: 0.01 } },
      cell: { scenario: "home", task: "click" },
      budget: { epochs: 7, seconds: 60 },
      pauseAtEpoch: 2,
    } as const;
    const original = await made.store.runs.get(await madeRun(made.store, { dataset, seed: 4, skill: 2, record }));
    const repeated = await made.store.runs.get(await queued(original.id));
    const { kind, datasetId, parentRunId, backboneName, backboneConfig, head, hyperParameters, preset } = original;
    const { seed, engine, pruneThreshold, pruneRule, cell, configurationHash } = original;
    const model = { kind, datasetId, parentRunId, backboneName, backboneConfig, head, hyperParameters, preset };
    expect(repeated).toMatchObject({ ...model, seed, engine, pruneThreshold, pruneRule, cell, configurationHash });
    expect(repeated).toMatchObject({
      budget: { epochs: 7 },
      pauseAtEpoch: null,
      trialId: null,
      replayOfRunId: original.id,
    });
    await made.store.runs.cancel(repeated.id);
  });

  it("costs a page of runs the same statements, however many of them are replays", async () => {
    const page = `query ($first: Int!) {
      runs(first: $first) { nodes { replay { sameWeights differences { scenario { key } } } replays { id } protocol { fingerprint } } }
    }`;
    const few = await statementsOf(page, { first: 4 });
    const id = await queued(run);
    await finishedRun(made.store, 2);
    expect((await read(id)).replay.sameWeights).toBe(true);
    expect(await statementsOf(page, { first: 50 })).toBe(few);
  });
});

/** SQL statements that a query takes; the server is in this process. */
async function statementsOf(document: string, variables: Readonly<Record<string, unknown>>): Promise<number> {
  let statements = 0;
  const stop = hearStatements(() => statements++);
  const { errors } = await made.server.query(document, variables).finally(stop);
  if (errors) throw new Error(errors[0]!.message);
  return statements;
}
