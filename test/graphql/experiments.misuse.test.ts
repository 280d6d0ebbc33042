import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall, smallInput } from "../server/smallDataset.ts";
import { createExperiment, created } from "../server/smallExperiments.ts";
import { autoIfs, backbone } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
let dataset: string;

const towers = { name: "towers", backbone, head: { kind: "TOWERS" } };
const flows = { name: "flows", backbone, head: autoIfs };
const inputOf = (change: object): object => ({ name: "e", configurations: [towers], datasets: [dataset], ...change });
const refusal = (change: object): Promise<Record<string, unknown>> =>
  server.refused(createExperiment, { input: inputOf(change) });

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
});
afterAll(() => server.close());

describe("createExperiment refuses", () => {
  afterAll(async () => {
    // Nothing that was refused has left anything.
    const { data } = await server.query(`{ experiments { nodes { id } } runs { nodes { id } } }`);
    expect(data).toEqual({ experiments: { nodes: [] }, runs: { nodes: [] } });
  });

  it("nothing to compare, or the same twice", async () => {
    expect(await refusal({ configurations: [] })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.configurations",
      expected: "a number of items at least 1",
    });
    expect(await refusal({ seeds: [] })).toMatchObject({ field: "input.seeds" });
    expect(await refusal({ name: " " })).toMatchObject({ field: "input.name" });
    expect(await refusal({ configurations: [towers, flows, { ...flows, name: "towers" }] })).toMatchObject({
      message: 'input.configurations[2].name: expected each only once, got "towers" again',
      field: "input.configurations[2].name",
    });
    expect(await refusal({ seeds: [1, 2, 1] })).toMatchObject({ field: "input.seeds[2]", received: "1 again" });
    expect(await refusal({ datasets: [dataset, dataset] })).toMatchObject({ field: "input.datasets[1]" });
  });

  it("a dataset that is not there, or not READY", async () => {
    expect(await refusal({ datasets: [dataset, "ds_0"] })).toMatchObject({
      code: "NOT_FOUND",
      field: "input.datasets[1]",
    });
    await server.put("broken.csv", "user,item,age,tab,click,like,part\nu,i,1,9,0,0,train\n");
    const failed = await imported(server, { ...smallInput, name: "broken", file: "broken.csv" });
    expect(await refusal({ datasets: [failed] })).toMatchObject({ code: "CONFLICT", field: "input.datasets[0]" });
  });

  it("a configuration that trainModel would refuse, wherever it stands", async () => {
    const wrong = (change: object): Promise<unknown> => refusal({ configurations: [towers, { ...flows, ...change }] });
    const at = (path: string): object => ({ field: `input.configurations[1].${path}` });
    expect(await wrong({ backbone: { plugin: "transformer" } })).toMatchObject(at("backbone.plugin"));
    expect(await wrong({ backbone: { plugin: "mmoe", config: { experts: 0 } } })).toMatchObject({
      message: "input.configurations[1].backbone.config.experts: expected at least 1, got 0",
      ...at("backbone.config.experts"),
    });
    expect(await wrong({ head: { kind: "AUTOIFS", rank: 0 } })).toMatchObject(at("head.rank"));
    expect(await wrong({ hyperParameters: { batchSize: 1 } })).toMatchObject(at("hyperParameters.batchSize"));
    expect(await wrong({ hyperParameters: { search: { epochs: 3, rewindEpoch: 3 } } })).toMatchObject(
      at("hyperParameters.search.rewindEpoch"),
    );
    const selection = { over: "WEIGHTED", weights: [{ scenario: "shop", task: "click", weight: 1 }] };
    expect(await wrong({ hyperParameters: { selection } })).toMatchObject({
      expected: "one of home, search",
      ...at("hyperParameters.selection.weights[0].scenario"),
    });
  });

  it("a prune of what has no gates, or with numbers that are none", async () => {
    expect(await refusal({ configurations: [{ ...towers, prune: {} }] })).toMatchObject({
      field: "input.configurations[0].prune",
      expected: "nothing, as head TOWERS has no search",
    });
    const wrong = (prune: object, head: object = autoIfs): Promise<unknown> =>
      refusal({ configurations: [{ ...flows, head, prune }] });
    expect(await wrong({ threshold: 1 })).toMatchObject({ field: "input.configurations[0].prune.threshold" });
    expect(await wrong({ granularity: "ROW" })).toMatchObject({
      field: "input.configurations[0].prune.granularity",
      expected: "CELL, as the gates of the search belong to cells",
    });
    expect(await wrong({ target: { auc: 0.01 }, granularity: "ROW" }, { ...autoIfs, gates: "ROW" })).toMatchObject({
      field: "input.configurations[0].prune.granularity",
      expected: "CELL, as a target is for flows of whole cells",
    });
    expect(await wrong({ retrain: { patience: -1 } })).toMatchObject({
      field: "input.configurations[0].prune.retrain.patience",
    });
    expect(await wrong({ retrain: { selection: { over: "WEIGHTED" } } })).toMatchObject({
      field: "input.configurations[0].prune.retrain.selection.weights",
    });
  });

  it("budgets that are none", async () => {
    expect(await refusal({ runBudget: { epochs: 0 } })).toMatchObject({ field: "input.runBudget.epochs" });
    expect(await refusal({ budget: { runs: 0 } })).toMatchObject({
      field: "input.budget.runs",
      expected: "at least 1",
    });
    expect(await refusal({ budget: { seconds: -1 } })).toMatchObject({ field: "input.budget.seconds" });
  });

  it("more than 10,000 trials, before it makes any of them", async () => {
    const configurations = Array.from({ length: 11 }, (_, i) => ({ ...towers, name: String(i) }));
    const seeds = Array.from({ length: 1000 }, (_, i) => i);
    expect(await refusal({ configurations, seeds })).toMatchObject({
      message: "input.seeds: expected at most 10000 trials: configurations × datasets × seeds, got 11000",
    });
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    const parameters = ["batchSize", "maxEpochs", "patience"].map((path) => ({ path, values }));
    expect(await refusal({ sweep: { kind: "GRID", parameters } })).toMatchObject({
      field: "input.sweep.parameters",
      received: "1000000000",
    });
    const range = { low: 0.001, high: 0.1 };
    const rungs = { minimumEpochs: 1, maximumEpochs: 9 };
    const sweep = { kind: "ASHA", parameters: [{ path: "learningRate", range }], trials: 501, rungs };
    expect(await refusal({ seeds: [1, 2], sweep })).toMatchObject({
      message: "input.sweep.trials: expected at most 500 points with these configurations, datasets and seeds, got 501",
    });
  });
});

describe("createExperiment refuses a sweep", () => {
  const rate = { path: "learningRate", values: [0.01] };
  const range = { low: 0.001, high: 0.1 };
  const sweep = (change: object, more: object = {}): Promise<Record<string, unknown>> =>
    refusal({ sweep: { kind: "GRID", parameters: [rate], ...change }, ...more });

  it("over something that is no number of a training and no member of a configuration", async () => {
    for (const path of ["rate", "selection.metric", "search", "backbone.config", "backbone.plugin", "seed"]) {
      expect(await sweep({ parameters: [{ path, values: [1] }] })).toMatchObject({
        code: "INVALID_INPUT",
        field: "input.sweep.parameters[0].path",
        received: `"${path}"`,
      });
    }
    expect(await sweep({ parameters: [{ path: "backbone.config.__proto__.x", values: [1] }] })).toMatchObject({
      field: "input.sweep.parameters[0].path",
    });
    expect(await sweep({ parameters: [rate, rate] })).toMatchObject({ field: "input.sweep.parameters[1].path" });
  });

  it("with a value that trainModel would refuse, and says which", async () => {
    expect(await sweep({ parameters: [rate, { path: "batchSize", values: [64, 1] }] })).toMatchObject({
      message: "input.sweep.parameters[1].values[1]: expected at least 2, got 1",
      field: "input.sweep.parameters[1].values[1]",
    });
    expect(await sweep({ parameters: [{ path: "backbone.config.layers", values: [[8, 0]] }] })).toMatchObject({
      message: "input.sweep.parameters[0].values[0][1]: expected at least 1, got 0",
    });
    expect(await sweep({ parameters: [{ path: "backbone.config.depth", values: [3] }] })).toMatchObject({
      field: "input.sweep.parameters[0].values[0]",
      expected: "no member of this name here",
    });
    expect(await sweep({ parameters: [{ path: "lossBalancing.kind", values: ["PCGRAD", "MEAN"] }] })).toMatchObject({
      message:
        'input.sweep.parameters[0].values[1]: expected one of EQUAL, FIXED, UNCERTAINTY, GRADNORM, PCGRAD, got "MEAN"',
    });
    const low = { path: "learningRate", range: { low: -1, high: 1 } };
    expect(await sweep({ kind: "RANDOM", trials: 50, parameters: [low] })).toMatchObject({
      field: "input.sweep.parameters[0].range",
      expected: "above 0",
    });
  });

  it("with values that do not go together, and says which", async () => {
    const parameters = [
      { path: "search.epochs", values: [2, 4] },
      { path: "search.rewindEpoch", values: [1, 3] },
    ];
    expect(await sweep({ parameters }, { configurations: [flows] })).toMatchObject({
      field: "input.sweep.parameters[1].values[1]",
      expected: "below the 2 epochs of the search",
    });
    expect(await sweep({ parameters })).toMatchObject({
      field: "input.configurations[0].hyperParameters.search",
      hint: 'it is so with {"search.epochs":2,"search.rewindEpoch":1} of the sweep',
    });
  });

  it("without what its kind needs, or with what it cannot use", async () => {
    const ranged = { path: "learningRate", range };
    expect(await sweep({ parameters: [ranged] })).toMatchObject({ field: "input.sweep.parameters[0].range" });
    expect(await sweep({ trials: 3 })).toMatchObject({ field: "input.sweep.trials", expected: "nothing for GRID" });
    expect(await sweep({ kind: "RANDOM" })).toMatchObject({ field: "input.sweep.trials", received: "nothing" });
    const random = { kind: "RANDOM", trials: 2 };
    expect(await sweep({ ...random, parameters: [{ ...ranged, values: [1] }] })).toMatchObject({
      field: "input.sweep.parameters[0]",
      received: "both",
    });
    expect(await sweep({ ...random, parameters: [{ path: "l2" }] })).toMatchObject({ received: "neither" });
    expect(await sweep({ kind: "ASHA", trials: 2 })).toMatchObject({ field: "input.sweep.rungs" });
    expect(await sweep({ ...random, rungs: { minimumEpochs: 1, maximumEpochs: 2 } })).toMatchObject({
      field: "input.sweep.rungs",
    });
  });

  it("over a range that is none", async () => {
    const ranged = (change: object): Promise<unknown> =>
      sweep({ kind: "RANDOM", trials: 2, parameters: [{ path: "l2", range: { ...range, ...change } }] });
    expect(await ranged({ high: 0.001 })).toMatchObject({ field: "input.sweep.parameters[0].range.high" });
    expect(await ranged({ low: 0, scale: "LOG" })).toMatchObject({ field: "input.sweep.parameters[0].range.low" });
    expect(await ranged({ integer: true })).toMatchObject({ field: "input.sweep.parameters[0].range.low" });
  });

  it("with rungs that are none, or below the end of a search", async () => {
    const asha = (rungs: object, more: object = {}): Promise<unknown> =>
      sweep({ kind: "ASHA", trials: 2, rungs }, more);
    expect(await asha({ minimumEpochs: 3, maximumEpochs: 3 })).toMatchObject({
      field: "input.sweep.rungs.maximumEpochs",
      expected: "above minimumEpochs, 3",
    });
    expect(await asha({ minimumEpochs: 1, maximumEpochs: 3, reductionFactor: 1 })).toMatchObject({
      field: "input.sweep.rungs.reductionFactor",
    });
    const rungs = { minimumEpochs: 1, maximumEpochs: 9 };
    const search = { ...flows, hyperParameters: { search: { epochs: 10 } } };
    expect(await asha(rungs, { configurations: [search] })).toMatchObject({
      message: 'input.sweep.rungs.maximumEpochs: expected at least the 10 epochs of the search of "flows", got 9',
    });
    expect(await asha(rungs, { runBudget: { epochs: 3 } })).toMatchObject({ field: "input.runBudget.epochs" });
  });

  it("with an objective that is none", async () => {
    expect(await sweep({ objective: { over: "WEIGHTED" } })).toMatchObject({ field: "input.sweep.objective.weights" });
    const weights = [{ scenario: "home", task: "buy", weight: 1 }];
    expect(await sweep({ objective: { over: "WEIGHTED", weights } })).toMatchObject({
      field: "input.sweep.objective.weights[0].task",
    });
  });
});

describe("cancelExperiment", () => {
  const cancel = `mutation ($id: ID!) { cancelExperiment(input: { experiment: $id }) { experiment { state finishedAt } } }`;

  it("refuses an experiment that is not there, or has ended", async () => {
    expect(await server.refused(cancel, { id: "exp_0" })).toMatchObject({
      message: "experiment exp_0: expected the id of an experiment, but there is none with this id",
      code: "NOT_FOUND",
      field: "input.experiment",
    });
    const id = await created(
      server,
      inputOf({ seeds: [1, 2, 3], configurations: [{ ...towers, hyperParameters: long }] }),
    );
    expect((await server.query(cancel, { id })).data.cancelExperiment.experiment).toEqual({
      state: "CANCELLED",
      finishedAt: expect.any(String),
    });
    expect(await server.refused(cancel, { id })).toMatchObject({ code: "CONFLICT", field: "input.experiment" });
    const { data } = await server.query(
      `query ($id: ID!) { experiment(id: $id) { trialCounts { state count } results { runs score { mean } cells { auc { mean } } } } }`,
      { id },
    );
    expect(data.experiment).toEqual({
      trialCounts: [{ state: "STOPPED", count: 3 }],
      results: [{ runs: 0, score: null, cells: [] }],
    });
  });

  const long = { maxEpochs: 1000, patience: 1000 };
});
