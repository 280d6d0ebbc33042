import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBulkWorker, untrainedRun } from "../server/bulkWork.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { smallInput } from "../server/smallDataset.ts";

let made: MadeServer;
let run: string;
beforeAll(async () => {
  made = await startMadeServer();
  const { parts } = await startBulkWorker(made);
  run = await untrainedRun(parts, await made.imported(smallInput));
});
afterAll(() => made.close());

const predict = `query ($run: ID, $model: String, $rows: [PredictRowInput!]!, $gateOverride: [GateOverrideInput!]) {
  predict(run: $run, model: $model, rows: $rows, gateOverride: $gateOverride) { run { id } }
}`;
const row = { scenario: "home", values: { user: "u1", age: 30, item: "i2" } };

const refused = (asked: object, rows: readonly object[] = [row]) => made.server.refused(predict, { ...asked, rows });

// Nothing here gets as far as a model.
describe("predict refuses", () => {
  it("a question to no model, or to two", async () => {
    expect(await refused({})).toMatchObject({
      code: "INVALID_INPUT",
      field: "run",
      message: "run: expected either a run or a model, got neither",
    });
    expect(await refused({ run, model: "feed" })).toMatchObject({
      message: "run: expected either a run or a model, got both",
    });
  });

  it("a model, alias or version that is not there", async () => {
    expect(await refused({ model: "feed@champion" })).toMatchObject({ code: "NOT_FOUND", field: "model" });
    expect(await refused({ model: "" })).toMatchObject({ code: "NOT_FOUND", field: "model" });
    expect(await refused({ model: "@@" })).toMatchObject({ code: "NOT_FOUND", field: "model" });
  });

  it("names of rows that are empty or long", async () => {
    expect(await refused({ run }, [row, { ...row, id: "" }])).toMatchObject({
      code: "INVALID_INPUT",
      message: "rows[1].id: expected a text of 1 to 255 characters, got 0 characters",
    });
    expect(await refused({ run }, [{ ...row, id: "x".repeat(256) }])).toMatchObject({ field: "rows[0].id" });
  });

  it("other gates of a model that has none, and gates that are none", async () => {
    expect(await refused({ run, gateOverride: [{ flow: "SHARED_TASK", gate: 1 }] })).toMatchObject({
      code: "CONFLICT",
      field: "gateOverride",
      message: `gateOverride: expected a model with head AUTOIFS, but run ${run} has head TOWERS`,
    });
    expect(await refused({ run, gateOverride: [{ flow: "SHARED_TASK", gate: -0.1 }] })).toMatchObject({
      code: "INVALID_INPUT",
      field: "gateOverride[0].gate",
    });
  });
});

describe("predictBatch refuses", () => {
  const predictBatch = `mutation ($input: PredictBatchInput!) {
    predictBatch(input: $input) { batchPrediction { id } userErrors { code field message } }
  }`;

  it("no model, two models, and a model that is not there", async () => {
    const errorsOf = async (input: object) => {
      const { data, errors } = await made.server.query(predictBatch, { input: { file: "small.csv", ...input } });
      if (errors) throw new Error(errors[0]!.message);
      return data.predictBatch.userErrors;
    };
    expect(await errorsOf({})).toMatchObject([{ code: "INVALID_INPUT", field: "input.run" }]);
    expect(await errorsOf({ run, model: "feed" })).toMatchObject([{ code: "INVALID_INPUT", field: "input.run" }]);
    expect(await errorsOf({ model: "feed" })).toMatchObject([{ code: "NOT_FOUND", field: "input.model" }]);
  });
});
