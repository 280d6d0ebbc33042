import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareSmall, registerDataset, smallInput } from "../server/smallDataset.ts";
import { backbone } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

const estimate = `query ($input: TrainModelInput!) { estimateTraining(input: $input) { secondsPerEpoch } }`;

let server: TestServer;
let dataset: string;

beforeAll(async () => {
  // Nobody imports it.
  server = await startTestServer();
  await prepareSmall(server);
  const { data } = await server.query(registerDataset, { input: smallInput });
  dataset = data.registerDataset.dataset.id;
});
afterAll(() => server.close());

describe("an estimate is refused as the training would be", () => {
  it("for a dataset that is not READY", async () => {
    expect(await server.refused(estimate, { input: { dataset, backbone } })).toMatchObject({
      code: "CONFLICT",
      message: `input.dataset: expected a dataset in status READY, but ${dataset} is IMPORTING`,
    });
  });

  it("for a backbone that is not installed", async () => {
    const input = { dataset, backbone: { plugin: "transformer" } };
    expect(await server.refused(estimate, { input })).toMatchObject({
      code: "NOT_FOUND",
      field: "input.backbone.plugin",
    });
  });

  it("for a number out of range", async () => {
    const input = { dataset, backbone, hyperParameters: { batchSize: 1 } };
    expect(await server.refused(estimate, { input })).toMatchObject({
      code: "INVALID_INPUT",
      message: "input.hyperParameters.batchSize: expected at least 2, got 1",
    });
  });
});
