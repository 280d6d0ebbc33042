import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ended, imported, prepareSmall } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters, pruneModel, trainModel } from "../server/smallModels.ts";
import { eventually, startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

const cancel = `mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { state matrix { meanAuc } } } }`;
const read = `query ($id: ID!) { run(id: $id) { state error { message } finishedAt progress { step } } }`;

let server: TestServer;
let dataset: string;
let running: string;
let waiting: string;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
  const long = { ...hyperParameters, search: { epochs: 1000 } };
  const input = { dataset, backbone, head: autoIfs, hyperParameters: long };
  running = (await server.query(trainModel, { input })).data.trainModel.run.id;
  waiting = (await server.query(trainModel, { input })).data.trainModel.run.id;
  await eventually(async () => (await server.query(read, { id: running })).data.run.progress ?? undefined);
});
afterAll(() => server.close());

describe("cancelRun", () => {
  it("takes a run that waits off the queue, and then it has no model to ask or to prune", async () => {
    const predict = `query ($id: ID!) { predict(run: $id, rows: [{ scenario: "home", values: {} }]) { run { id } } }`;
    expect(await server.refused(predict, { id: waiting })).toMatchObject({
      message: `run: expected a run in state SUCCEEDED, but ${waiting} is QUEUED`,
      code: "CONFLICT",
      field: "run",
    });
    expect(await server.refused(pruneModel, { input: { run: waiting } })).toMatchObject({
      code: "CONFLICT",
      field: "input.run",
      received: "SEARCH, QUEUED",
    });
    const { data } = await server.query(cancel, { id: waiting });
    expect(data.cancelRun.run).toEqual({ state: "CANCELLED", matrix: null });
  });

  it("ends a run that is being trained, and its worker goes on with the next", async () => {
    const { search: _, ...numbers } = hyperParameters;
    const input = { dataset, backbone, head: { kind: "TOWERS" }, hyperParameters: numbers };
    const next = (await server.query(trainModel, { input })).data.trainModel.run.id;
    const { data } = await server.query(cancel, { id: running });
    expect(data.cancelRun.run).toEqual({ state: "CANCELLED", matrix: null });

    expect(await ended(server, next)).toBe("SUCCEEDED");
    expect((await server.query(read, { id: running })).data.run).toMatchObject({
      state: "CANCELLED",
      error: null,
      finishedAt: expect.any(String),
    });
    expect(await server.refused(cancel, { id: running })).toMatchObject({
      message: `run ${running}: expected a run in state QUEUED, RUNNING or PAUSED, but it is CANCELLED`,
      code: "CONFLICT",
      field: "input.run",
      received: "CANCELLED",
    });
  });
});
