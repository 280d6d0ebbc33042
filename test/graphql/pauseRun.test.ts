import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ended, imported, prepareSmall } from "../server/smallDataset.ts";
import { backbone, hyperParameters, trainModel } from "../server/smallModels.ts";
import { eventually, startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

const pause = `mutation ($id: ID!) { pauseRun(input: { run: $id }) { run { state pauseRequested } } }`;
const resume = `mutation ($id: ID!) { resumeRun(input: { run: $id }) { run { state pauseRequested } } }`;
const cancel = `mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { state } } }`;
const read = `query ($id: ID!) {
  run(id: $id) {
    state pauseRequested stopReason attempt checkpointHash
    history { epoch matrices { split cells { auc logloss } } }
  }
}`;

let server: TestServer;
let dataset: string;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
});
afterAll(() => server.close());

const begin = async (maxEpochs: number): Promise<string> => {
  const { search: _, ...numbers } = hyperParameters;
  const head = { kind: "TOWERS" };
  const input = { dataset, backbone, head, hyperParameters: { ...numbers, maxEpochs, patience: 1000 } };
  return (await server.query(trainModel, { input })).data.trainModel.run.id;
};

const reached = (id: string, isThere: (run: never) => boolean): Promise<unknown> =>
  eventually(async () => {
    const { run } = (await server.query(read, { id })).data;
    return isThere(run as never) ? run : undefined;
  });

describe("pauseRun and resumeRun", () => {
  it("hold a run that is being trained, and let it go on from where it was", async () => {
    const id = await begin(20);
    await reached(id, ({ history }: { history: unknown[] }) => history.length > 1);
    const { data } = await server.query(pause, { id });
    expect(data.pauseRun.run).toEqual({ state: "RUNNING", pauseRequested: true });
    await reached(id, ({ state }: { state: string }) => state === "PAUSED");
    const held = (await server.query(read, { id })).data.run;
    expect(held).toMatchObject({ pauseRequested: false, stopReason: null, checkpointHash: expect.any(String) });
    expect(held.history.length).toBeLessThan(20);

    expect((await server.query(resume, { id })).data.resumeRun.run).toEqual({ state: "QUEUED", pauseRequested: false });
    expect(await ended(server, id)).toBe("SUCCEEDED");
    const { history, ...resumed } = (await server.query(read, { id })).data.run;
    expect(resumed).toMatchObject({ attempt: 1, stopReason: "COMPLETED" });
    expect(history.map(({ epoch }: { epoch: number }) => epoch)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(history.slice(0, held.history.length)).toEqual(held.history);
  });

  it("take a run that waits out of the queue, and put it in again; others go first, and it may be cancelled meanwhile", async () => {
    const before = await begin(1000);
    await reached(before, ({ state }: { state: string }) => state === "RUNNING");
    const waiting = await begin(2);
    const unwanted = await begin(2);
    const next = await begin(2);
    expect((await server.query(pause, { id: waiting })).data.pauseRun.run.state).toBe("PAUSED");
    await server.query(pause, { id: unwanted });
    expect((await server.query(cancel, { id: unwanted })).data.cancelRun.run.state).toBe("CANCELLED");
    expect(await server.refused(resume, { id: unwanted })).toMatchObject({ code: "CONFLICT", received: "CANCELLED" });
    await server.query(cancel, { id: before });

    expect(await ended(server, next)).toBe("SUCCEEDED");
    expect((await server.query(read, { id: waiting })).data.run.state).toBe("PAUSED");
    await server.query(resume, { id: waiting });
    expect(await ended(server, waiting)).toBe("SUCCEEDED");

    for (const [mutation, expected] of [
      [pause, "QUEUED or RUNNING"],
      [resume, "PAUSED"],
    ] as const) {
      expect(await server.refused(mutation, { id: waiting })).toMatchObject({
        message: `run ${waiting}: expected a run in state ${expected}, but it is SUCCEEDED`,
        code: "CONFLICT",
        field: "input.run",
        received: "SUCCEEDED",
      });
    }
  });

  it("refuse a run that is none", async () => {
    for (const mutation of [pause, resume]) {
      expect(await server.refused(mutation, { id: "run_1" })).toMatchObject({ code: "NOT_FOUND", field: "input.run" });
    }
  });
});
