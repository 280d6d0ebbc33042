import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NewFlowEffect, NewGateStatistic } from "../../src/store/flows.ts";
import { defaultHyperParameters } from "../../src/training/hyperParameters.ts";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { claimed } from "../store/testStore.ts";

// Runs without a training: what their workers would report is made up.
let made: MadeServer;
let dataset: string;
beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
});
afterAll(() => made.close());

const ledger = `query ($id: ID!, $after: Int! = -1, $first: Int! = 100) {
  run(id: $id) {
    flows { flow meanGate entropy saturation meanLogit }
    gateHistory(after: $after, first: $first) {
      epoch temperature flows { scenario { key } task { key } flow shareRemoved meanGate entropy saturation meanLogit }
    }
    gateAlarms { kind scenario { key } task { key } flow message }
    flowEffects {
      scenario { key } task { key } flow rows removed
      outAuc { value low high reason } outLogloss { value low high reason }
      inAuc { value low high reason } inLogloss { value low high reason }
    }
  }
}`;

const place = { scenarioKey: "home", taskKey: "click" } as const;
const keptGate: NewGateStatistic = {
  ...place,
  flow: "SHARED_SHARED",
  shareRemoved: 0,
  meanGate: 0.5,
  entropy: 1,
  saturation: 0,
  meanLogit: 0,
};
const gates = (temperature: number, logit: number): NewGateStatistic[] => [
  { ...keptGate, meanGate: 1 / (1 + Math.exp(-temperature * logit)), meanLogit: logit },
  { ...keptGate, flow: "SHARED_TASK" },
];
const change = { value: -0.01, low: -0.02, high: 0.001, reason: null };
const effect: NewFlowEffect = {
  ...place,
  flow: "SHARED_SHARED",
  rows: 1300,
  removed: 0.25,
  outAuc: change,
  outLogloss: { value: 0.1, low: null, high: null, reason: "NO_INTERVAL" },
  inAuc: { value: null, low: null, high: null, reason: "ONE_CLASS" },
  inLogloss: change,
};

const head = {
  kind: "AUTOIFS",
  scenarioLayers: [4],
  taskLayers: [],
  rank: 2,
  gates: "CELL",
  gateLayers: [8],
  batchNorm: false,
  dropout: 0,
};

async function searchRun() {
  const { store } = made;
  const hyperParameters = defaultHyperParameters("RECOMMENDED");
  const search = { ...hyperParameters.search, epochs: 2 };
  await store.runs.create({
    kind: "SEARCH",
    datasetId: dataset,
    backboneName: "shared-bottom",
    backboneConfig: { layers: [8] },
    head,
    hyperParameters: { ...hyperParameters, search },
    configurationHash: "0",
    preset: "RECOMMENDED",
    seed: 1,
    engine: "compiled",
  });
  return claimed(store);
}

describe("the ledger of a search's flows", () => {
  let id: string;
  beforeAll(async () => {
    const { flows } = made.store;
    const job = await searchRun();
    id = job.subjectId;
    await flows.recordEpoch(job, { epoch: 0, temperature: 1 }, gates(1, 0));
    await flows.recordEpoch(job, { epoch: 1, temperature: 1 }, gates(1, -9));
    // An attempt that died after its report, and the one that did the epoch again.
    await flows.recordEpoch(job, { epoch: 1, temperature: 1 }, gates(1, -0.2));
    await flows.recordEpoch(job, { epoch: 2, temperature: 100 }, gates(100, -0.5));
    await flows.record(job, gates(100, -0.5));
    await flows.recordEffects(job, [{ ...effect, rows: 1 }]);
    await flows.recordEffects(job, [effect]);
  });

  it("shows the gates epoch by epoch, from before the first step on", async () => {
    const { run } = (await made.server.query(ledger, { id })).data;
    expect(run.gateHistory.map(({ epoch, temperature }: Record<string, number>) => [epoch, temperature])).toEqual([
      [0, 1],
      [1, 1],
      [2, 100],
    ]);
    expect(run.gateHistory[1].flows[0]).toEqual({
      scenario: { key: "home" },
      task: { key: "click" },
      flow: "SHARED_SHARED",
      shareRemoved: 0,
      meanGate: 1 / (1 + Math.exp(0.2)),
      entropy: 1,
      saturation: 0,
      meanLogit: -0.2,
    });
    expect(run.flows).toContainEqual({ flow: "SHARED_TASK", meanGate: 0.5, entropy: 1, saturation: 0, meanLogit: 0 });
  });

  it("is paged by epoch", async () => {
    const { run } = (await made.server.query(ledger, { id, after: 0, first: 1 })).data;
    expect(run.gateHistory.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1]);
    const { errors } = await made.server.query(ledger, { id, first: 0 });
    expect(errors![0]!.message).toBe("first: expected 1 to 1000, got 0");
  });

  it("names the gates that the search has not moved, and those it left undecided", async () => {
    const { run } = (await made.server.query(ledger, { id })).data;
    const flow = {
      scenario: { key: "home" },
      task: { key: "click" },
      flow: "SHARED_TASK",
      message: expect.any(String),
    };
    expect(run.gateAlarms).toEqual([
      { kind: "UNDECIDED", ...flow },
      { kind: "UNCHANGED", ...flow },
    ]);
  });

  it("says what each flow is worth, with intervals, and why a figure is missing", async () => {
    const { run } = (await made.server.query(ledger, { id })).data;
    expect(run.flowEffects).toEqual([
      {
        scenario: { key: "home" },
        task: { key: "click" },
        flow: "SHARED_SHARED",
        rows: 1300,
        removed: 0.25,
        outAuc: change,
        outLogloss: { value: 0.1, low: null, high: null, reason: "NO_INTERVAL" },
        inAuc: { value: null, low: null, high: null, reason: "ONE_CLASS" },
        inLogloss: change,
      },
    ]);
  });
});

describe("the ledger is empty", () => {
  const empty = { flows: [], gateHistory: [], gateAlarms: [], flowEffects: [] };

  it("for towers", async () => {
    const id = await madeRun(made.store, { dataset, seed: 1, skill: 1 });
    expect((await made.server.query(ledger, { id })).data.run).toEqual(empty);
  });

  it("but for the end of the gates, for a run from before it was kept", async () => {
    const job = await searchRun();
    const old = [0.1, 0.9].map((meanGate, i) => {
      return { ...place, flow: i === 0 ? "SHARED_SHARED" : "SHARED_TASK", shareRemoved: i, meanGate } as const;
    });
    await made.store.flows.record(job, old);
    const { run } = (await made.server.query(ledger, { id: job.subjectId })).data;
    expect(run).toEqual({ ...empty, flows: expect.any(Array) });
    expect(run.flows).toContainEqual({
      flow: "SHARED_TASK",
      meanGate: 0.9,
      entropy: null,
      saturation: null,
      meanLogit: null,
    });
  });
});
