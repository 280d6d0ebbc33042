import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall, smallInput } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters, pruneModel, trained, trainModel } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
let dataset: string;
let search: string;
let towers: string;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
  search = await trained(server, trainModel, {
    dataset,
    backbone,
    head: { ...autoIfs, gates: "ROW" },
    hyperParameters,
  });
  const plain = { embeddingDim: 4, maxEpochs: 1 };
  towers = await trained(server, trainModel, { dataset, backbone, head: { kind: "TOWERS" }, hyperParameters: plain });
});
afterAll(() => server.close());

afterAll(async () => {
  // Nothing that was refused has left a run.
  const { data } = await server.query(`{ runs { nodes { id } } }`);
  expect(data.runs.nodes).toEqual([{ id: towers }, { id: search }]);
});

describe("trainModel refuses", () => {
  const refusal = (change: object): Promise<Record<string, unknown>> =>
    server.refused(trainModel, { input: { dataset, backbone, ...change } });

  it("a dataset that is not there", async () => {
    expect(await refusal({ dataset: "ds_0" })).toEqual({
      message: "dataset ds_0: expected the id of a dataset, but there is none with this id",
      code: "NOT_FOUND",
      field: "input.dataset",
      received: "ds_0",
    });
  });

  it("a dataset that is not READY", async () => {
    await server.put("broken.csv", "user,item,age,tab,click,like,part\nu,i,1,9,0,0,train\n");
    const failed = await imported(server, { ...smallInput, name: "broken", file: "broken.csv" });
    expect(await refusal({ dataset: failed })).toEqual({
      message: `input.dataset: expected a dataset in status READY, but ${failed} is FAILED`,
      code: "CONFLICT",
      field: "input.dataset",
      expected: "a dataset in status READY",
      received: "FAILED",
    });
  });

  it("a backbone that is not installed", async () => {
    const installed = readdirSync(new URL("../../plugins", import.meta.url))
      .sort()
      .join(", ");
    expect(await refusal({ backbone: { plugin: "transformer" } })).toMatchObject({
      message: `input.backbone.plugin: expected one of ${installed}, got "transformer"`,
      code: "NOT_FOUND",
      field: "input.backbone.plugin",
      received: "transformer",
    });
  });

  it.each([
    [{ experts: 0 }, "experts", "at least 1", "0"],
    [{ experts: "four" }, "experts", "a value of type number", '"four"'],
    [{ layers: [8, 0] }, "layers[1]", "at least 1", "0"],
    [{ gateBy: "row" }, "gateBy", "one of task, scenario_task", '"row"'],
    [{ expert: 4 }, "expert", "no member of this name here", "4"],
  ])("the configuration %j", async (config, member, expected, received) => {
    const field = `input.backbone.config.${member}`;
    expect(await refusal({ backbone: { plugin: "mmoe", config } })).toEqual({
      message: `${field}: expected ${expected}, got ${received}`,
      code: "INVALID_INPUT",
      field,
      expected,
      received,
    });
  });

  it("a configuration that is no object", async () => {
    expect(await refusal({ backbone: { plugin: "mmoe", config: [4] } })).toMatchObject({
      field: "input.backbone.config",
      expected: "a value of type object",
      received: "[4]",
    });
  });

  it("members of the other head, and widths that are none", async () => {
    expect(await refusal({ head: { kind: "TOWERS", rank: 2 } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.head.rank",
      expected: "no member of this name here",
    });
    expect(await refusal({ head: { kind: "AUTOIFS", scenarioLayers: [] } })).toMatchObject({
      field: "input.head.scenarioLayers",
      expected: "a number of items at least 1",
    });
    expect(await refusal({ head: { kind: "AUTOIFS", rank: 0 } })).toMatchObject({ field: "input.head.rank" });
  });

  it.each([
    [{ learningRate: 0 }, "learningRate", "above 0"],
    [{ batchSize: 1 }, "batchSize", "at least 2"],
    [{ maxEpochs: 0 }, "maxEpochs", "at least 1"],
    [{ search: { gateRegulariser: 11 } }, "search.gateRegulariser", "at most 10"],
  ])("the hyper-parameters %j", async (numbers, member, expected) => {
    expect(await refusal({ hyperParameters: numbers })).toMatchObject({
      code: "INVALID_INPUT",
      field: `input.hyperParameters.${member}`,
      expected,
    });
  });

  it("a rewind that is not below the epochs of the search", async () => {
    expect(await refusal({ hyperParameters: { search: { epochs: 3, rewindEpoch: 3 } } })).toMatchObject({
      message: "input.hyperParameters.search.rewindEpoch: expected below the 3 epochs of the search, got 3",
      code: "INVALID_INPUT",
      field: "input.hyperParameters.search.rewindEpoch",
    });
  });

  it("numbers of a search for a model that has none", async () => {
    const change = { head: { kind: "TOWERS" }, hyperParameters: { search: { epochs: 3 } } };
    expect(await refusal(change)).toMatchObject({ code: "INVALID_INPUT", field: "input.hyperParameters.search" });
  });

  it("a negative seed", async () => {
    expect(await refusal({ seed: -1 })).toMatchObject({ field: "input.seed", expected: "at least 0" });
  });

  it("an engine that cannot be used here, with the reason", async () => {
    const { data } = await server.query(`{ engines { name available reason } }`);
    for (const engine of data.engines.filter(({ available }: { available: boolean }) => !available)) {
      expect(await refusal({ engine: engine.name })).toMatchObject({
        message: `input.engine: engine ${engine.name.toLowerCase()} cannot be used here: ${engine.reason}`,
        code: "UNAVAILABLE",
        field: "input.engine",
      });
    }
  });
});

describe("pruneModel refuses", () => {
  it("a run that is not there", async () => {
    expect(await server.refused(pruneModel, { input: { run: "run_0" } })).toMatchObject({
      code: "NOT_FOUND",
      field: "input.run",
    });
  });

  it("a run that is no search", async () => {
    expect(await server.refused(pruneModel, { input: { run: towers } })).toEqual({
      message: `input.run: expected a SEARCH run in state SUCCEEDED, but ${towers} is a TRAIN run in state SUCCEEDED`,
      code: "CONFLICT",
      field: "input.run",
      expected: "a SEARCH run in state SUCCEEDED",
      received: "TRAIN, SUCCEEDED",
    });
  });

  it("a threshold that is no share, and retrain settings out of range", async () => {
    expect(await server.refused(pruneModel, { input: { run: search, threshold: 1 } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.threshold",
      expected: "below 1",
    });
    expect(await server.refused(pruneModel, { input: { run: search, retrain: { patience: -1 } } })).toMatchObject({
      field: "input.retrain.patience",
      expected: "at least 0",
    });
  });

  const planPrune = `query ($input: PlanPruneInput!) { planPrune(input: $input) { run { id } } }`;

  it("what does not go together, as a plan does", async () => {
    const cases: readonly (readonly [object, object])[] = [
      [
        { threshold: 0.5, target: { auc: 0.01 } },
        { field: "input.target", expected: "either a threshold or a target", received: "both" },
      ],
      [
        { target: { auc: 0.01 }, granularity: "ROW" },
        { field: "input.granularity", expected: "CELL, as a target is for flows of whole cells", received: "ROW" },
      ],
      [{ allowedLoss: {} }, { field: "input.allowedLoss", expected: "auc, logloss or both", received: "{}" }],
      [{ target: { auc: -1 } }, { field: "input.target.auc", expected: "at least 0", received: "-1" }],
      [{ allowedLoss: { auc: 2 } }, { field: "input.allowedLoss.auc", expected: "at most 1", received: "2" }],
      [
        { allowedLoss: { logloss: -1 } },
        { field: "input.allowedLoss.logloss", expected: "at least 0", received: "-1" },
      ],
    ];
    for (const [members, error] of cases) {
      const input = { run: search, ...members };
      expect(await server.refused(pruneModel, { input })).toMatchObject({ code: "INVALID_INPUT", ...error });
      expect(await server.refused(planPrune, { input })).toMatchObject({ code: "INVALID_INPUT", ...error });
    }
    expect(await server.refused(planPrune, { input: { run: towers } })).toMatchObject({
      code: "CONFLICT",
      field: "input.run",
      expected: "a SEARCH run in state SUCCEEDED",
    });
  });
});

describe("cancelRun refuses", () => {
  const cancel = `mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { state } } }`;

  it("a run that is not there", async () => {
    expect(await server.refused(cancel, { id: "run_0" })).toMatchObject({ code: "NOT_FOUND", field: "input.run" });
  });

  it("a run that has ended", async () => {
    expect(await server.refused(cancel, { id: search })).toMatchObject({
      code: "CONFLICT",
      field: "input.run",
      received: "SUCCEEDED",
    });
  });
});

describe("predict refuses", () => {
  const predict = `query ($run: ID!, $rows: [PredictRowInput!]!) { predict(run: $run, rows: $rows) { run { id } } }`;
  const values = { user: "u0", item: "i1", age: 31 };
  const refusal = (rows: unknown[], run = towers): Promise<Record<string, unknown>> =>
    server.refused(predict, { run, rows });

  it("a run that is not there", async () => {
    expect(await refusal([{ scenario: "home", values }], "run_0")).toMatchObject({ code: "NOT_FOUND", field: "run" });
  });

  it("no rows, and more than a thousand", async () => {
    expect(await refusal([])).toMatchObject({ code: "INVALID_INPUT", field: "rows", expected: "1 to 1000 rows" });
    const many = Array.from({ length: 1001 }, () => ({ scenario: "home", values }));
    expect(await refusal(many)).toMatchObject({ field: "rows", received: "1001" });
  });
});
