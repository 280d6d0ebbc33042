import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ended, imported, prepareSmall } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters, pruneModel, trained, trainModel } from "../server/smallModels.ts";
import { eventually, startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

const values = { user: "u1", item: "i1", age: 30 };
const predict = `query ($run: ID!, $rows: [PredictRowInput!]!) {
  predict(run: $run, rows: $rows) { rows { scenario { key } tasks { task { key } probability } } }
}`;

const cancelRun = `mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { state } } }`;

let server: TestServer;
let dataset: string;
/** A prune, and its baselines in home × click and search × click; the others are cancelled. */
let run: string;
let baselines: string[];

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
  const search = await trained(server, trainModel, { dataset, backbone, head: autoIfs, hyperParameters });
  run = await trained(server, pruneModel, { run: search });
  const document = `mutation ($run: ID!) { trainBaselines(input: { run: $run }) { runs { id } } }`;
  const { data } = await server.query(document, { run });
  const [homeClick, homeLike, searchClick, searchLike] = data.trainBaselines.runs.map(({ id }: { id: string }) => id);
  for (const id of [homeLike, searchLike]) await server.query(cancelRun, { id });
  baselines = [homeClick, searchClick];
  for (const id of baselines) expect(await ended(server, id)).toBe("SUCCEEDED");
});
afterAll(() => server.close());

describe("a training on one cell", () => {
  it("is measured on that cell alone", async () => {
    const { data } = await server.query(
      `query ($id: ID!) { run(id: $id) { cell { scenario { key } task { key } } matrix { cells { scenario { key } task { key } rows } } } }`,
      { id: baselines[0] },
    );
    const cell = { scenario: { key: "home" }, task: { key: "click" } };
    expect(data.run).toEqual({ cell, matrix: { cells: [{ ...cell, rows: 22 }] } });
  });

  it("answers rows of its scenario, for its task", async () => {
    const rows = [{ scenario: "search", values }];
    const { data } = await server.query(predict, { run: baselines[1], rows });
    const probability = expect.closeTo(0.5, 0.5);
    expect(data.predict.rows).toEqual([
      { scenario: { key: "search" }, tasks: [{ task: { key: "click" }, probability }] },
    ]);
  });

  it("refuses rows of another scenario", async () => {
    const rows = ["search", "home"].map((scenario) => ({ scenario, values }));
    expect(await server.refused(predict, { run: baselines[1], rows })).toMatchObject({
      message: 'rows[1].scenario: expected "search", the only one of this run, got "home"',
      code: "INVALID_INPUT",
      field: "rows[1].scenario",
    });
  });
});

it("A trained run is held against its trained baselines, row by row", async () => {
  const { data } = await server.query(
    `query ($run: ID!) { seesaw(run: $run) { paired cells { baseline { id } auc { difference verdict reason } } } }`,
    { run },
  );
  expect(data.seesaw.paired).toBe(true);
  const compared = data.seesaw.cells.filter(({ baseline }: { baseline: unknown }) => baseline !== null);
  expect(compared.map(({ baseline }: { baseline: { id: string } }) => baseline.id).sort()).toEqual(
    baselines.toSorted(),
  );
  for (const { auc } of compared) expect(auc).toMatchObject({ verdict: expect.any(String), reason: null });
  expect(data.seesaw.cells.slice(2)).toEqual(Array(2).fill({ baseline: null, auc: null }));
});

it("A prune comes out bitwise the same when it is replayed", async () => {
  const { data } = await server.query(`mutation ($run: ID!) { replayRun(input: { run: $run }) { run { id } } }`, {
    run,
  });
  const { id } = data.replayRun.run;
  expect(await ended(server, id)).toBe("SUCCEEDED");
  const answer = await server.query(
    `query ($id: ID!) {
      run(id: $id) { replay { of { id } sameWeights sameMetrics differences { name } versions { name } sameData } }
    }`,
    { id },
  );
  const same = { sameWeights: true, sameMetrics: true, differences: [], versions: [], sameData: true };
  expect(answer.data.run.replay).toEqual({ of: { id: run }, ...same });
});

it("A run that was cancelled answers with the best checkpoint it had", async () => {
  const numbers = { embeddingDim: 4, batchSize: 64, maxEpochs: 1000, patience: 1000 };
  const input = { dataset, backbone, head: { kind: "TOWERS" }, hyperParameters: numbers };
  const { id } = (await server.query(trainModel, { input })).data.trainModel.run;
  await eventually(async () => {
    const { data } = await server.query(`query ($id: ID!) { run(id: $id) { checkpointHash } }`, { id });
    return data.run.checkpointHash ?? undefined;
  });
  const rows = [{ scenario: "home", values }];
  expect(await server.refused(predict, { run: id, rows })).toMatchObject({ code: "CONFLICT", received: "RUNNING" });
  await server.query(cancelRun, { id });
  const { data } = await server.query(predict, { run: id, rows });
  expect(data.predict.rows[0].tasks.map(({ task }: { task: { key: string } }) => task.key)).toEqual(["click", "like"]);
});
