import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { backbone, trainModel } from "../server/smallModels.ts";

const compare = `query ($baseline: [ID!]!, $candidate: [ID!]!, $split: Split! = TEST) {
  compareRuns(baseline: $baseline, candidate: $candidate, split: $split) { paired }
}`;

let made: MadeServer;
let dataset: string;
let run: string;
let other: string;

beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
  run = await madeRun(made.store, { dataset, seed: 1, skill: 1 });
  other = await madeRun(made.store, { dataset, seed: 1, skill: 2 });
});
afterAll(() => made.close());

const refused = (variables: object): Promise<Record<string, unknown>> =>
  made.server.refused(compare, { baseline: [run], candidate: [other], ...variables });

describe("compareRuns refuses", () => {
  it("a side without a run, and one with too many", async () => {
    expect(await refused({ baseline: [] })).toMatchObject({
      message: "baseline: expected a number of items at least 1, got []",
      code: "INVALID_INPUT",
      field: "baseline",
    });
    expect(await refused({ candidate: Array(21).fill(other) })).toMatchObject({
      code: "INVALID_INPUT",
      field: "candidate",
    });
  });

  it("the training split, on which no finished model is measured", async () => {
    expect(await refused({ split: "TRAIN" })).toMatchObject({
      message: "split: expected VALIDATION or TEST, got TRAIN",
      code: "INVALID_INPUT",
      field: "split",
    });
  });

  it("a run that does not exist", async () => {
    expect(await refused({ candidate: [other, "run_none"] })).toMatchObject({
      message: "candidate[1]: expected the id of a run, but there is none with the id run_none",
      code: "NOT_FOUND",
      field: "candidate[1]",
    });
  });

  it("a run that has not succeeded", async () => {
    const input = { dataset, backbone, head: { kind: "TOWERS" } };
    const { id } = (await made.server.query(trainModel, { input })).data.trainModel.run;
    expect(await refused({ candidate: [id] })).toMatchObject({
      message: `candidate[0]: expected a run in state SUCCEEDED, but ${id} is QUEUED`,
      code: "CONFLICT",
      field: "candidate[0]",
      received: "QUEUED",
    });
    await made.store.runs.cancel(id);
  });

  it("a run that is there twice, on one side or on both", async () => {
    expect(await refused({ candidate: [run] })).toMatchObject({
      message: `candidate[0]: expected each run once, got ${run} again`,
      code: "INVALID_INPUT",
      field: "candidate[0]",
    });
    expect(await refused({ baseline: [run, run] })).toMatchObject({ code: "INVALID_INPUT", field: "baseline[1]" });
  });

  it("runs of one side that are no repetitions of each other", async () => {
    const third = await madeRun(made.store, { dataset, seed: 2, skill: 2 });
    expect(await refused({ baseline: [run, other], candidate: [third] })).toMatchObject({
      message: `baseline: expected runs that differ in the seed alone, but ${run} and ${other} have other configurations`,
      code: "CONFLICT",
      field: "baseline",
    });
    const copy = await madeRun(made.store, { dataset, seed: 1, skill: 2, record: { replayOfRunId: other } });
    expect(await refused({ candidate: [other, copy] })).toMatchObject({
      message: `candidate: expected runs that differ in the seed alone, but ${other} and ${copy} have the same weights`,
      code: "CONFLICT",
      field: "candidate",
    });
  });

  it("a run on one cell against one on all", async () => {
    const cell = { scenario: "home", task: "click" };
    const single = await madeRun(made.store, { dataset, seed: 1, skill: 1, cell });
    expect(await refused({ candidate: [single] })).toMatchObject({
      code: "CONFLICT",
      differences: [{ part: "CELLS", baseline: "all", candidate: "home × click" }],
    });
  });
});
