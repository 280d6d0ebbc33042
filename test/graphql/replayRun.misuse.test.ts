import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifestOf } from "../../src/services/stored.ts";
import { finishedRun, madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { backbone, trainModel } from "../server/smallModels.ts";

const replayRun = `mutation ($run: ID!) { replayRun(input: { run: $run }) { run { id } } }`;

let made: MadeServer;
let dataset: string;

beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
});
afterAll(() => made.close());

const refused = (run: string): Promise<Record<string, unknown>> => made.server.refused(replayRun, { run });
const towers = () => ({ dataset, backbone, head: { kind: "TOWERS" } });

describe("replayRun refuses", () => {
  it("a run that does not exist", async () => {
    expect(await refused("run_none")).toMatchObject({ code: "NOT_FOUND", field: "input.run" });
  });

  it("a run that has not succeeded", async () => {
    const { id } = (await made.server.query(trainModel, { input: towers() })).data.trainModel.run;
    expect(await refused(id)).toMatchObject({
      message: `input.run: expected a run in state SUCCEEDED, but ${id} is QUEUED`,
      code: "CONFLICT",
      field: "input.run",
      received: "QUEUED",
    });
    await made.store.runs.cancel(id);
  });

  it("a run that ended because its time was up, as that is not repeatable", async () => {
    const { id } = (await made.server.query(trainModel, { input: towers() })).data.trainModel.run;
    await finishedRun(made.store, 1, { stopReason: "BUDGET_SECONDS" });
    expect(await refused(id)).toMatchObject({
      message:
        `input.run: expected a run that ended by its own rules, but the time of ${id} was up, ` +
        "and how far it came by then is the machine's speed",
      code: "CONFLICT",
      received: "BUDGET_SECONDS",
      hint: "give its budget in epochs",
    });
  });

  it("a run whose backbone is not installed any more", async () => {
    const run = await madeRun(made.store, { dataset, seed: 1, skill: 1, record: { backboneName: "gone" } });
    expect(await refused(run)).toMatchObject({ code: "NOT_FOUND", field: "input.run" });
  });

  it("a run whose dataset has lost a file", async () => {
    const run = await madeRun(made.store, { dataset, seed: 1, skill: 1 });
    const { files } = manifestOf(await made.store.datasets.get(dataset))!;
    await rm(made.store.artifacts.path(files["train.arrow"].sha256));
    expect(await refused(run)).toMatchObject({
      message: `input.run: expected a run whose files are kept, but train.arrow of the dataset ${dataset} is gone`,
      code: "CONFLICT",
      field: "input.run",
    });
  });
});
