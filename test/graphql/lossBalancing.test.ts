import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSpecOf } from "../../src/services/stored.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { backbone, trainModel } from "../server/smallModels.ts";
import { claimed } from "../store/testStore.ts";

// Runs without a training: what their workers would report is made up.
let made: MadeServer;
let dataset: string;
beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
});
afterAll(() => made.close());

const numbers = `query ($id: ID!) {
  run(id: $id) {
    configurationHash
    hyperParameters { lossBalancing { kind weights { task { key } weight } asymmetry learningRate } }
  }
}`;

const inputOf = (lossBalancing: object | undefined) => ({
  dataset,
  backbone,
  head: { kind: "TOWERS" },
  hyperParameters: lossBalancing ? { lossBalancing } : {},
});

async function queued(lossBalancing?: object) {
  const { data, errors } = await made.server.query(trainModel, { input: inputOf(lossBalancing) });
  expect(errors).toBeUndefined();
  const { id } = data.trainModel.run;
  const { run } = (await made.server.query(numbers, { id })).data;
  return { id, hash: run.configurationHash, lossBalancing: run.hyperParameters.lossBalancing };
}

const none = { weights: [], asymmetry: null, learningRate: null };

describe("the balancing of a run's losses", () => {
  it("is EQUAL unless another is chosen, with the defaults of its kind", async () => {
    expect((await queued()).lossBalancing).toEqual({ ...none, kind: "EQUAL" });
    expect((await queued({ kind: "UNCERTAINTY" })).lossBalancing).toEqual({ ...none, kind: "UNCERTAINTY" });
    expect((await queued({ kind: "PCGRAD" })).lossBalancing).toEqual({ ...none, kind: "PCGRAD" });
    expect((await queued({ kind: "GRADNORM", asymmetry: 0.5 })).lossBalancing).toEqual({
      kind: "GRADNORM",
      weights: [],
      asymmetry: 0.5,
      learningRate: 0.025,
    });
    expect((await queued({ kind: "FIXED", weights: [{ task: "like", weight: 3 }] })).lossBalancing).toEqual({
      ...none,
      kind: "FIXED",
      weights: [{ task: { key: "like" }, weight: 3 }],
    });
  });

  it("tells runs apart, but not those of now from those of before there was a choice", async () => {
    const [plain, equal, other] = [await queued(), await queued({ kind: "EQUAL" }), await queued({ kind: "PCGRAD" })];
    expect(equal.hash).toBe(plain.hash);
    expect(other.hash).not.toBe(plain.hash);
    const stored = await made.store.runs.get(plain.id);
    const { lossBalancing: _, ...before } = stored.hyperParameters as Record<string, unknown>;
    expect(runSpecOf({ ...stored, hyperParameters: before }).hyperParameters.lossBalancing).toEqual({ kind: "EQUAL" });
  });

  it.each([
    [
      "a task the dataset does not have",
      { kind: "FIXED", weights: [{ task: "share", weight: 1 }] },
      'weights[0].task: expected one of click, like, got "share"',
    ],
    [
      "a task twice",
      {
        kind: "FIXED",
        weights: [
          { task: "like", weight: 1 },
          { task: "like", weight: 2 },
        ],
      },
      "weights[1].task: expected each task once, got like again",
    ],
    [
      "a weight that is not above 0",
      { kind: "FIXED", weights: [{ task: "like", weight: 0 }] },
      "weights[0].weight: expected above 0, got 0",
    ],
    ["FIXED without weights", { kind: "FIXED" }, "weights: expected a value of type array, got nothing"],
    [
      "weights of another kind",
      { kind: "PCGRAD", asymmetry: 1 },
      "asymmetry: expected no member of this name here, got 1",
    ],
  ])("is refused with %s", async (_, lossBalancing, says) => {
    const refused = await made.server.refused(trainModel, { input: inputOf(lossBalancing) });
    expect(refused["message"]).toBe(`input.hyperParameters.lossBalancing.${says}`);
  });
});

describe("what a run records after every epoch", () => {
  const records = `query ($id: ID!, $after: Int! = 0, $first: Int! = 100) {
    run(id: $id) {
      lossWeights { phase epoch task { key } weight }
      backboneStatistics(after: $after, first: $first) { phase epoch name scenario { key } values }
    }
  }`;
  let id: string;
  beforeAll(async () => {
    const { runs, epochRecords } = made.store;
    for (const run of (await made.server.query(`{ runs { nodes { id } } }`)).data.runs.nodes) await runs.cancel(run.id);
    id = (await queued({ kind: "UNCERTAINTY" })).id;
    const job = await claimed(made.store);
    expect(job.subjectId).toBe(id);
    const weights = (click: number) => [
      { taskKey: "click", weight: click },
      { taskKey: "like", weight: 1.5 },
    ];
    const gate = (first: number) =>
      ["home", "search"].map((scenarioKey) => ({ name: "gate", scenarioKey, values: [first, 1 - first] }));
    await epochRecords.recordLossWeights(job, { phase: "train", epoch: 1 }, weights(9));
    // An attempt that died after its report, and the one that did the epoch again.
    await epochRecords.recordLossWeights(job, { phase: "train", epoch: 1 }, weights(1));
    await epochRecords.recordLossWeights(job, { phase: "train", epoch: 2 }, weights(0.75));
    for (const epoch of [1, 2]) await epochRecords.recordStatistics(job, { phase: "train", epoch }, gate(epoch / 4));
  });

  it("are the weights of the tasks' losses, epoch by epoch", async () => {
    const { run } = (await made.server.query(records, { id })).data;
    expect(run.lossWeights).toEqual([
      { phase: "TRAIN", epoch: 1, task: { key: "click" }, weight: 1 },
      { phase: "TRAIN", epoch: 1, task: { key: "like" }, weight: 1.5 },
      { phase: "TRAIN", epoch: 2, task: { key: "click" }, weight: 0.75 },
      { phase: "TRAIN", epoch: 2, task: { key: "like" }, weight: 1.5 },
    ]);
  });

  it("and what the backbone says of its rows, paged by epoch", async () => {
    const { run } = (await made.server.query(records, { id, after: 1, first: 1 })).data;
    expect(run.backboneStatistics).toEqual([
      { phase: "TRAIN", epoch: 2, name: "gate", scenario: { key: "home" }, values: [0.5, 0.5] },
      { phase: "TRAIN", epoch: 2, name: "gate", scenario: { key: "search" }, values: [0.5, 0.5] },
    ]);
    expect((await made.server.query(records, { id })).data.run.backboneStatistics).toHaveLength(4);
  });
});
