import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareSmall, registerDataset, smallCsv, smallInput } from "../server/smallDataset.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await prepareSmall(server);
});
afterAll(() => server.close());

describe("registerDataset", () => {
  it("answers at once with a dataset that is being imported", async () => {
    const { data } = await server.query(registerDataset, { input: smallInput });
    expect(data).toEqual({
      registerDataset: { dataset: { id: expect.stringMatching(/^ds_/), status: "IMPORTING" }, created: true },
    });
  });

  it("gives the existing dataset for the same bytes and description, whatever the file is called", async () => {
    const { data: first } = await server.query(registerDataset, { input: smallInput });
    await server.put("copy.csv", smallCsv());
    const { data: second } = await server.query(registerDataset, { input: { ...smallInput, file: "copy.csv" } });
    expect(second.registerDataset).toEqual({ dataset: first.registerDataset.dataset, created: false });
    expect((await server.query(`{ datasets { nodes { name } } }`)).data.datasets.nodes).toHaveLength(1);
  });

  it("makes another dataset where the bytes or the description differ", async () => {
    await server.put("more.csv", smallCsv() + "u1,i1,30,0,1,0,train\n");
    const bytes = await server.query(registerDataset, { input: { ...smallInput, file: "more.csv" } });
    expect(bytes.data.registerDataset.created).toBe(true);
    const split = { kind: "RANDOM", seed: 7 };
    const description = await server.query(registerDataset, { input: { ...smallInput, split } });
    expect(description.data.registerDataset.created).toBe(true);
  });
});

describe("a dataset that is not imported yet", () => {
  const read = `query ($id: ID!) {
    dataset(id: $id) {
      name version source status readyAt scenarioColumn vocabularySize
      error { code }
      fields { column kind minimumCount bucketing { kind count boundaries } kept unknownShare }
      scenarios { value scenario { name } }
      labels { column task { key } }
      split { kind column train validation test seed }
      groupColumn timeColumn warnings { kind }
      counts { rows }
      runs { nodes { id } }
    }
  }`;

  it("shows its description and nothing of its rows", async () => {
    const { data } = await server.query(registerDataset, { input: smallInput });
    const { id } = data.registerDataset.dataset;
    const plain = { kind: "CATEGORICAL", minimumCount: 1, bucketing: null, kept: null, unknownShare: null };
    expect(await server.query(read, { id })).toEqual({
      data: {
        dataset: {
          name: "small",
          version: null,
          source: "small.csv",
          status: "IMPORTING",
          readyAt: null,
          scenarioColumn: "tab",
          vocabularySize: null,
          error: null,
          fields: [
            { ...plain, column: "user" },
            { ...plain, column: "item", minimumCount: 2 },
            {
              ...plain,
              column: "age",
              kind: "NUMERIC",
              bucketing: { kind: "QUANTILES", count: 4, boundaries: null },
            },
            { ...plain, column: "tab" },
          ],
          scenarios: [
            { value: "0", scenario: { name: "Home feed" } },
            { value: "1", scenario: { name: "Search" } },
          ],
          labels: [
            { column: "click", task: { key: "click" } },
            { column: "like", task: { key: "like" } },
          ],
          split: { kind: "COLUMN", column: "part", train: "train", validation: "valid", test: "test", seed: null },
          groupColumn: null,
          timeColumn: null,
          warnings: [],
          counts: null,
          runs: { nodes: [] },
        },
      },
    });
  });

  it("has the defaults of its split filled in", async () => {
    const split = { kind: "RANDOM" };
    const { data } = await server.query(registerDataset, { input: { ...smallInput, name: "random", split } });
    const { id } = data.registerDataset.dataset;
    const shown = `query ($id: ID!) { dataset(id: $id) { split { kind column seed validationShare testShare } } }`;
    expect((await server.query(shown, { id })).data.dataset.split).toEqual({
      kind: "RANDOM",
      column: null,
      seed: 1,
      validationShare: 0.1,
      testShare: 0.1,
    });
  });

  it("names its group column, and with a split by time the times", async () => {
    const split = { kind: "TIME", column: "age", validationFrom: "50", testFrom: "55" };
    const described = { ...smallInput, name: "timed", split, group: { column: "user" }, time: { column: "age" } };
    const { data } = await server.query(registerDataset, { input: described });
    const { id } = data.registerDataset.dataset;
    const shown = `query ($id: ID!) {
      dataset(id: $id) { groupColumn timeColumn split { kind column train validationFrom testFrom } }
    }`;
    expect((await server.query(shown, { id })).data.dataset).toEqual({
      groupColumn: "user",
      timeColumn: "age",
      split: { kind: "TIME", column: "age", train: null, validationFrom: "50", testFrom: "55" },
    });
  });

  it("takes numbers by every kind of bucketing", async () => {
    const fields = [{ kind: "LOG_SQUARED" }, { kind: "BOUNDARIES", boundaries: [20, 30.5] }].map((bucketing, index) => {
      return { column: ["age", "item"][index], kind: "NUMERIC", bucketing };
    });
    const { data } = await server.query(registerDataset, { input: { ...smallInput, name: "numbers", fields } });
    const { id } = data.registerDataset.dataset;
    const shown = `query ($id: ID!) { dataset(id: $id) { fields { bucketing { kind boundaries } } } }`;
    expect((await server.query(shown, { id })).data.dataset.fields).toEqual([
      { bucketing: { kind: "LOG_SQUARED", boundaries: null } },
      { bucketing: { kind: "BOUNDARIES", boundaries: [20, 30.5] } },
    ]);
  });
});

describe("datasets", () => {
  it("are listed newest first, by name and status", async () => {
    const list = `query ($filter: DatasetFilter) { datasets(filter: $filter) { nodes { name } } }`;
    const names = async (filter: object): Promise<string[]> =>
      (await server.query(list, { filter })).data.datasets.nodes.map(({ name }: { name: string }) => name);
    expect(await names({})).toEqual(["numbers", "timed", "random", "small", "small", "small"]);
    expect(await names({ name: "random" })).toEqual(["random"]);
    expect(await names({ status: "READY" })).toEqual([]);
  });

  it("are nodes", async () => {
    const { data } = await server.query(registerDataset, { input: smallInput });
    const { id } = data.registerDataset.dataset;
    expect(await server.query(`query ($id: ID!) { node(id: $id) { ... on Dataset { name } } }`, { id })).toEqual({
      data: { node: { name: "small" } },
    });
    expect(await server.query(`{ dataset(id: "ds_0") { id } }`)).toEqual({ data: { dataset: null } });
  });
});
