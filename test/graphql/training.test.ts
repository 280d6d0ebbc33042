import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters, pruneModel, trained, trainModel } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

// From the file to the prediction, with a real worker process.
let server: TestServer;
let dataset: string;
let search: string;
let pruned: string;
let towers: string;

beforeAll(async () => {
  server = await startTestServer({ workers: 1 });
  await prepareSmall(server);
  dataset = await imported(server);
  const { search: _, ...plain } = hyperParameters;
  search = await trained(server, trainModel, { dataset, backbone, head: autoIfs, hyperParameters, seed: 3 });
  pruned = await trained(server, pruneModel, { run: search, retrain: { maxEpochs: 1 } });
  towers = await trained(server, trainModel, { dataset, backbone, head: { kind: "TOWERS" }, hyperParameters: plain });
});
afterAll(() => server.close());

describe("a search run", () => {
  it("shows what was asked for, defaults included", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        run(id: $id) {
          kind state seed engine preset pruneThreshold attempt error { code }
          dataset { name version }
          backbone { name config plugin { name } }
          head { __typename ... on AutoIfsHead { scenarioLayers taskLayers rank gateLayers batchNorm dropout } }
          hyperParameters { embeddingDim batchSize maxEpochs search { epochs rewindEpoch } }
        }
      }`,
      { id: search },
    );
    expect(data.run).toEqual({
      kind: "SEARCH",
      state: "SUCCEEDED",
      seed: 3,
      engine: "COMPILED",
      preset: "RECOMMENDED",
      pruneThreshold: null,
      attempt: 1,
      error: null,
      dataset: { name: "small", version: 1 },
      backbone: {
        name: "shared-bottom",
        config: expect.objectContaining({ layers: [8] }),
        plugin: { name: "shared-bottom" },
      },
      head: {
        __typename: "AutoIfsHead",
        scenarioLayers: [4],
        taskLayers: [],
        rank: 2,
        gateLayers: [8],
        batchNorm: false,
        dropout: 0,
      },
      hyperParameters: { embeddingDim: 4, batchSize: 64, maxEpochs: 2, search: { epochs: 2, rewindEpoch: 1 } },
    });
  });

  it("has a history: the validation metrics after every epoch", async () => {
    const { data } = await server.query(
      `query ($id: ID!) { run(id: $id) { history { epoch matrices { split meanAuc cells { auc logloss } } } } }`,
      { id: search },
    );
    expect(data.run.history.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2]);
    expect(data.run.history[0].matrices).toEqual([
      { split: "VALIDATION", meanAuc: expect.any(Number), cells: expect.any(Array) },
    ]);
    expect(data.run.history[0].matrices[0].cells).toHaveLength(4);
  });

  it("says where it stood last, and where the time went", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        run(id: $id) {
          createdAt startedAt finishedAt
          progress { phase epoch epochs step steps samplesPerSecond loss temperature }
          timings { total compile train evaluate }
        }
      }`,
      { id: search },
    );
    const { progress, timings, ...times } = data.run;
    expect(progress).toMatchObject({ phase: "SEARCH", epochs: 2, steps: 4, loss: expect.any(Number) });
    expect(timings.total).toBeGreaterThan(timings.train);
    expect([times.createdAt, times.startedAt, times.finishedAt].toSorted()).toEqual(Object.values(times));
  });
});

describe("the matrix of a finished run", () => {
  const matrix = `query ($id: ID!, $split: Split! = TEST) {
    run(id: $id) {
      matrix(split: $split) {
        split meanAuc meanLogloss
        cells { scenario { key } task { key } auc logloss reason rows positives }
      }
    }
  }`;

  it("has a cell for every scenario and task, of the test split where none is named", async () => {
    const { data } = await server.query(matrix, { id: pruned });
    const { split, cells, meanAuc } = data.run.matrix;
    expect(split).toBe("TEST");
    expect(
      cells.map((cell: { scenario: { key: string }; task: { key: string } }) => [cell.scenario.key, cell.task.key]),
    ).toEqual([
      ["home", "click"],
      ["home", "like"],
      ["search", "click"],
      ["search", "like"],
    ]);
    const [first] = cells;
    expect(first).toMatchObject({ auc: expect.any(Number), logloss: expect.any(Number), reason: null, rows: 22 });
    const present = cells.map(({ auc }: { auc: number | null }) => auc).filter((auc: number | null) => auc !== null);
    expect(meanAuc).toBeCloseTo(present.reduce((sum: number, auc: number) => sum + auc, 0) / present.length, 10);
  });

  it("says why a figure is missing, and never sends one that is not a number", async () => {
    const { data } = await server.query(matrix, { id: pruned, split: "TEST" });
    const cells: { auc: number | null; reason: string | null; rows: number; positives: number }[] =
      data.run.matrix.cells;
    for (const { auc, reason, rows, positives } of cells) {
      expect(reason).toBe(positives === 0 || positives === rows ? "ONE_CLASS" : null);
      expect(auc === null).toBe(reason === "ONE_CLASS");
    }
    expect(cells.some(({ reason }) => reason === "ONE_CLASS")).toBe(true);
  });

  it("is there for the validation split, and null for the training split", async () => {
    expect((await server.query(matrix, { id: towers, split: "VALIDATION" })).data.run.matrix.split).toBe("VALIDATION");
    expect((await server.query(matrix, { id: towers, split: "TRAIN" })).data.run.matrix).toBeNull();
  });
});

describe("a prune run", () => {
  it("takes everything from its search that is not given anew", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        run(id: $id) {
          kind seed engine pruneThreshold
          parent { id }
          hyperParameters { batchSize maxEpochs }
          history { epoch }
        }
      }`,
      { id: pruned },
    );
    expect(data.run).toEqual({
      kind: "PRUNE",
      seed: 3,
      engine: "COMPILED",
      pruneThreshold: 0.5,
      parent: { id: search },
      hyperParameters: { batchSize: 64, maxEpochs: 1 },
      history: [{ epoch: 1 }],
    });
  });

  it("is a child of its search", async () => {
    const { data } = await server.query(`query ($id: ID!) { run(id: $id) { children { id } parent { id } } }`, {
      id: search,
    });
    expect(data.run).toEqual({ children: [{ id: pruned }], parent: null });
  });

  it("says of every flow of every cell how often it is removed", async () => {
    const { data } = await server.query(
      `query ($id: ID!) { run(id: $id) { flows { scenario { key } task { key } flow shareRemoved meanGate } } }`,
      { id: pruned },
    );
    const flows: { flow: string; shareRemoved: number; meanGate: number }[] = data.run.flows;
    expect(flows).toHaveLength(2 * 2 * 4);
    expect(new Set(flows.map(({ flow }) => flow))).toEqual(
      new Set(["SHARED_SHARED", "SCENARIO_TASK", "SHARED_TASK", "SCENARIO_SHARED"]),
    );
    for (const { shareRemoved, meanGate } of flows) {
      expect(shareRemoved).toBeGreaterThanOrEqual(0);
      expect(shareRemoved).toBeLessThanOrEqual(1);
      expect(meanGate).toBeGreaterThanOrEqual(0);
      expect(meanGate).toBeLessThanOrEqual(1);
    }
  });
});

describe("a run with towers", () => {
  it("has neither a search nor flows nor a temperature", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        run(id: $id) {
          kind
          head { __typename ... on TowersHead { layers } }
          hyperParameters { search { epochs } }
          flows { flow }
          progress { phase temperature }
        }
      }`,
      { id: towers },
    );
    expect(data.run).toEqual({
      kind: "TRAIN",
      head: { __typename: "TowersHead", layers: [64] },
      hyperParameters: { search: null },
      flows: [],
      progress: { phase: "TRAIN", temperature: null },
    });
  });
});

describe("runs", () => {
  it("are listed newest first, by kind, state, dataset and backbone", async () => {
    const list = `query ($filter: RunFilter) { runs(filter: $filter) { nodes { id } } }`;
    const ids = async (filter: object): Promise<string[]> =>
      (await server.query(list, { filter })).data.runs.nodes.map(({ id }: { id: string }) => id);
    expect(await ids({})).toEqual([towers, pruned, search]);
    expect(await ids({ kind: "PRUNE" })).toEqual([pruned]);
    expect(await ids({ state: "SUCCEEDED", dataset, backbone: "shared-bottom" })).toEqual([towers, pruned, search]);
    expect(await ids({ state: "FAILED" })).toEqual([]);
    expect(await ids({ backbone: "mmoe" })).toEqual([]);
  });

  it("are found from their dataset, page by page", async () => {
    const page = `query ($id: ID!, $after: String) {
      dataset(id: $id) { runs(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }
    }`;
    const { runs: first } = (await server.query(page, { id: dataset })).data.dataset;
    expect(first).toMatchObject({ nodes: [{ id: towers }, { id: pruned }], pageInfo: { hasNextPage: true } });
    const { runs: second } = (await server.query(page, { id: dataset, after: first.pageInfo.endCursor })).data.dataset;
    expect(second).toMatchObject({ nodes: [{ id: search }], pageInfo: { hasNextPage: false } });
  });
});

describe("predict", () => {
  const predict = `query ($run: ID!, $rows: [PredictRowInput!]!) {
    predict(run: $run, rows: $rows) {
      run { id }
      unknownValues { column rows }
      rows {
        scenario { name }
        tasks {
          task { key }
          probability
          partials { full sharedShared scenarioTask sharedTask scenarioShared }
          gates { sharedShared scenarioTask sharedTask scenarioShared }
        }
      }
    }
  }`;
  const rows = [
    { scenario: "home", values: { user: "u0", item: "i1", age: 31 } },
    { scenario: "search", values: { user: "stranger", item: null, age: "31" } },
  ];

  it("answers a probability per row and task, in the order of the rows", async () => {
    const { data } = await server.query(predict, { run: towers, rows });
    expect(data.predict.run).toEqual({ id: towers });
    expect(data.predict.rows.map((row: { scenario: { name: string } }) => row.scenario.name)).toEqual([
      "Home feed",
      "Search",
    ]);
    for (const row of data.predict.rows) {
      expect(row.tasks).toEqual([
        { task: { key: "click" }, probability: expect.any(Number), partials: null, gates: null },
        { task: { key: "like" }, probability: expect.any(Number), partials: null, gates: null },
      ]);
    }
  });

  it("tells which fields had values that training did not know", async () => {
    const { data } = await server.query(predict, { run: towers, rows });
    expect(data.predict.unknownValues).toEqual([
      { column: "user", rows: 1 },
      { column: "item", rows: 1 },
    ]);
  });

  it("takes a probability apart into the partial logits and the gates that remove them", async () => {
    const { data } = await server.query(predict, { run: pruned, rows });
    for (const { tasks } of data.predict.rows) {
      for (const { probability, partials, gates } of tasks) {
        const { full, ...flows } = partials;
        expect(Object.values(gates).every((gate) => gate === 0 || gate === 1)).toBe(true);
        const removed = Object.keys(flows).reduce((sum, flow) => sum + gates[flow] * flows[flow], 0);
        expect(probability).toBeCloseTo(1 / (1 + Math.exp(-(full - removed))), 5);
      }
    }
  });

  it("gives the same row the same answer, whatever rows it comes with", async () => {
    const together = await server.query(predict, { run: search, rows });
    const alone = await server.query(predict, { run: search, rows: [rows[1]] });
    expect(alone.data.predict.rows[0].tasks[0].probability).toBeCloseTo(
      together.data.predict.rows[1].tasks[0].probability,
      6,
    );
  });
});
