import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ended, imported, prepareSmall, smallCsv, smallInput } from "../server/smallDataset.ts";
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
  server = await startTestServer({ works: true });
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

  it("has the history of its gates, from before the first step on, what its losses weighed, and what every flow is worth", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        run(id: $id) {
          gateHistory { epoch temperature flows { entropy saturation } }
          flowEffects { rows removed outAuc { value reason } inLogloss { value } }
          lossWeights { phase epoch task { key } weight }
        }
      }`,
      { id: search },
    );
    const { gateHistory, flowEffects, lossWeights } = data.run;
    const weightsOf = (epoch: number) =>
      ["click", "like"].map((key) => ({ phase: "SEARCH", epoch, task: { key }, weight: 1 }));
    expect(lossWeights).toEqual([1, 2].flatMap(weightsOf));
    expect(gateHistory.map(({ epoch }: { epoch: number }) => epoch)).toEqual([0, 1, 2]);
    for (const { flows } of gateHistory) expect(flows).toHaveLength(2 * 2 * 4);
    expect(flowEffects).toHaveLength(2 * 2 * 4);
    for (const { outAuc, inLogloss } of flowEffects) {
      expect(outAuc.value === null).toBe(outAuc.reason === "ONE_CLASS");
      expect(inLogloss.value).toEqual(expect.any(Number));
    }
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

describe("the size of a finished run", () => {
  it("tells how large and how fast the model is as it was searched and as it is served", async () => {
    const figures = `parameters tableBytes bytes flopsPerRow batch1P50Ms batch1P99Ms rowsPerSecond`;
    const { data } = await server.query(
      `query ($id: ID!) { run(id: $id) { size { before { ${figures} } after { ${figures} } } } }`,
      { id: pruned },
    );
    const { before, after } = data.run.size;
    expect(after.tableBytes).toBeLessThanOrEqual(before.tableBytes);
    for (const { parameters, bytes, flopsPerRow } of [before, after]) {
      expect(bytes).toBe(4 * parameters);
      expect(flopsPerRow).toBeGreaterThan(0);
    }
    for (const { batch1P50Ms, batch1P99Ms, rowsPerSecond } of [before, after]) {
      expect(batch1P50Ms).toBeGreaterThan(0);
      expect(batch1P99Ms).toBeGreaterThanOrEqual(batch1P50Ms);
      expect(rowsPerSecond).toBeGreaterThan(0);
    }
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
  it("has neither a search nor flows nor gates nor a temperature", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        run(id: $id) {
          kind
          head { __typename ... on TowersHead { layers } }
          hyperParameters { search { epochs } }
          flows { flow }
          gateHistory { epoch }
          gateAlarms { kind }
          flowEffects { flow }
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
      gateHistory: [],
      gateAlarms: [],
      flowEffects: [],
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

describe("a plan of a prune", () => {
  const planPrune = `query ($input: PlanPruneInput!) {
    planPrune(input: $input) {
      run { id }
      threshold granularity target { auc } allowedLoss { auc logloss }
      cells {
        scenario { key } task { key }
        flows { flow shareRemoved meanGate }
        auc { value low high reason }
        logloss { value low high reason }
      }
      breaks { scenario { key } task { key } metric change { value } allowed }
    }
  }`;
  const plan = async (input: object) => {
    const { data, errors } = await server.query(planPrune, { input: { run: search, ...input } });
    if (errors) throw new Error(errors[0]!.message);
    return data.planPrune;
  };

  it("tells what would be removed in every cell, and what that does to it", async () => {
    const { cells, ...rest } = await plan({});
    const rule = { threshold: 0.5, granularity: "CELL", target: null, allowedLoss: null };
    expect(rest).toEqual({ run: { id: search }, ...rule, breaks: null });
    expect(cells).toHaveLength(4);
    for (const { flows, logloss } of cells) {
      expect(flows.map(({ flow }: { flow: string }) => flow)).toHaveLength(4);
      for (const { shareRemoved } of flows) expect(shareRemoved >= 0 && shareRemoved <= 1).toBe(true);
      expect(logloss.value).toEqual(expect.any(Number));
    }
    // In search nobody likes anything.
    expect(cells[3]).toMatchObject({ scenario: { key: "search" }, task: { key: "like" } });
    expect(cells[3].auc).toEqual({ value: null, low: null, high: null, reason: "ONE_CLASS" });
  });

  it("for whole cells removes by the measured effects, and names the cell that loses more than it may", async () => {
    const { cells, breaks, ...rest } = await plan({ target: { auc: 1 }, allowedLoss: { logloss: 0 } });
    expect(rest).toMatchObject({ threshold: null, granularity: "CELL", target: { auc: 1 } });
    const measured = cells.filter(({ auc }: { auc: { reason: string | null } }) => auc.reason === null);
    for (const { flows } of measured) {
      expect(flows.map(({ shareRemoved }: { shareRemoved: number }) => shareRemoved)).toEqual([1, 1, 1, 1]);
    }
    const losses: number[] = cells.map(({ logloss }: { logloss: { value: number } }) => logloss.value);
    expect(breaks).toMatchObject({ metric: "LOGLOSS", change: { value: Math.max(...losses) }, allowed: 0 });
  });
});

describe("a prune with an allowed loss", () => {
  const prune = `query ($id: ID!) {
    run(id: $id) {
      state checkpointHash error { code message }
      prune { threshold granularity target { auc } allowedLoss { auc logloss } verified { scenario { key } auc { value } logloss { value low high } } }
      children { id }
    }
  }`;
  const short = { retrain: { maxEpochs: 1 } };

  it("that it keeps to tells how every cell came out", async () => {
    const rule = { target: { auc: 0.01 }, allowedLoss: { logloss: 5 } };
    const id = await trained(server, pruneModel, { run: search, ...rule, ...short });
    const { data } = await server.query(prune, { id });
    expect(data.run.prune).toMatchObject({ threshold: null, granularity: "CELL", target: { auc: 0.01 } });
    expect(data.run.prune.allowedLoss).toEqual({ auc: null, logloss: 5 });
    expect(data.run.prune.verified).toHaveLength(4);
    expect((await server.query(prune, { id: pruned })).data.run.prune).toMatchObject({
      threshold: 0.5,
      verified: null,
    });
    expect((await server.query(prune, { id: search })).data.run.prune).toBeNull();
  });

  it("that it breaks is refused: it names the cell, keeps no model, and leaves the rest as it was", async () => {
    const before = (await server.query(prune, { id: search })).data.run;
    const input = { run: search, allowedLoss: { auc: 0, logloss: 0 }, retrain: { maxEpochs: 1, learningRate: 1e-6 } };
    const { data } = await server.query(pruneModel, { input });
    const { id } = data.pruneModel.run;
    expect(await ended(server, id)).toBe("FAILED");
    const { state, checkpointHash, error, prune: asked } = (await server.query(prune, { id })).data.run;
    expect({ state, checkpointHash }).toEqual({ state: "FAILED", checkpointHash: null });
    expect(error.code).toBe("PRUNE_REFUSED");
    expect(error.message).toMatch(
      /^prune: the [\w-]+ of \w+ × \w+ (fell|rose) by [\d.]+ on the validation split, more/,
    );
    expect(asked.verified).toHaveLength(4);
    const after = (await server.query(prune, { id: search })).data.run;
    expect(after).toEqual({ ...before, children: [{ id }, ...before.children] });
  });
});

describe("an extension", () => {
  it("adds a scenario: a model that answers the new one, and the old ones bitwise as before", async () => {
    await server.query(`mutation { registerScenario(input: { key: "mall" }) { scenario { id } } }`);
    const [header, ...rows] = smallCsv().trimEnd().split("\n");
    const moved = rows.slice(0, 100).map((row) => row.split(",").with(3, "2").join(","));
    await server.put("mall.csv", [header, ...moved, ""].join("\n"));
    const values = [...smallInput.scenario.values, { value: "2", scenario: "mall" }];
    const scenario = { ...smallInput.scenario, values };
    const grown = await imported(server, {
      ...smallInput,
      name: "mall",
      file: "mall.csv",
      scenario,
      vocabularyOf: dataset,
    });
    const { data, errors } = await server.query(
      `mutation ($input: ExtendModelInput!) { extendModel(input: $input) { run { id } } }`,
      { input: { run: pruned, dataset: grown, hyperParameters: { maxEpochs: 2 } } },
    );
    expect(errors).toBeUndefined();
    const { id } = data.extendModel.run;
    expect(await ended(server, id)).toBe("SUCCEEDED");

    const predict = `query ($run: ID!, $rows: [PredictRowInput!]!) {
      predict(run: $run, rows: $rows) { rows { scenario { key } tasks { probability partials { full } } } }
    }`;
    const old = ["home", "search"].map((scenario) => ({ scenario, values: { user: "u1", item: "i5", age: 25 } }));
    const answers = async (run: string, asked: object[]) =>
      (await server.query(predict, { run, rows: asked })).data.predict.rows;
    expect(await answers(id, old)).toEqual(await answers(pruned, old));
    const [own] = await answers(id, [{ scenario: "mall", values: { user: "u1", item: "i5", age: 25 } }]);
    expect(own.tasks[0].probability).toEqual(expect.any(Number));
    const matrix = `query ($id: ID!) { run(id: $id) { matrix { cells { scenario { key } auc } } } }`;
    const { cells } = (await server.query(matrix, { id })).data.run.matrix;
    const measured = cells.filter(({ auc }: { auc: number | null }) => auc !== null);
    expect(new Set(measured.map((cell: { scenario: { key: string } }) => cell.scenario.key))).toEqual(
      new Set(["mall"]),
    );
  });
});
