import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { registerDataset, smallInput } from "../server/smallDataset.ts";

const extendModel = `mutation ($input: ExtendModelInput!) { extendModel(input: $input) { run { id } } }`;
const head = {
  kind: "AUTOIFS",
  scenarioLayers: [4],
  taskLayers: [],
  rank: 2,
  gates: "CELL",
  gateLayers: [8],
  batchNorm: false,
  dropout: 0,
};
const mall = { value: "2", scenario: "mall" };
const values = [...smallInput.scenario.values, mall];

let made: MadeServer;
let dataset: string;
let base: string;
let search: string;
let grown: string;
let other: string;
const queued: string[] = [];

beforeAll(async () => {
  made = await startMadeServer();
  await made.server.query(`mutation {
    registerScenario(input: { key: "mall" }) { scenario { id } }
    registerTask(input: { key: "share" }) { task { id } }
  }`);
  dataset = await made.imported();
  base = await madeRun(made.store, { dataset, seed: 1, skill: 1, record: { kind: "PRUNE", head } });
  search = await madeRun(made.store, { dataset, seed: 1, skill: 2, record: { kind: "SEARCH", head } });
  const rows = Array.from({ length: 60 }, (_, i) => {
    return [`u${i % 30}`, 2, i % 2, i % 3 === 0 ? 1 : 0, i % 5 ? "train" : i % 10 ? "valid" : "test"].join(",");
  });
  await made.server.put("mall.csv", ["user,tab,click,like,part", ...rows, ""].join("\n"));
  grown = await made.imported({
    name: "grown",
    file: "mall.csv",
    vocabularyOf: dataset,
    scenario: { column: "tab", values },
  });
  other = await made.imported({ name: "other", file: "mall.csv", scenario: { column: "tab", values } });
});
afterAll(() => made.close());
afterAll(async () => {
  // Nothing that was refused has left a run.
  const { data } = await made.server.query(`{ runs(filter: { state: QUEUED }) { nodes { id } } }`);
  expect(data.runs.nodes.map(({ id }: { id: string }) => id)).toEqual(queued);
});

const refusal = (input: object): Promise<Record<string, unknown>> =>
  made.server.refused(extendModel, { input: { run: base, dataset: grown, ...input } });

describe("extendModel", () => {
  it("queues a run that says what it extends and by what", async () => {
    const { data, errors } = await made.server.query(
      `mutation ($input: ExtendModelInput!) {
        extendModel(input: $input) {
          run {
            id kind state seed parent { id } extended { scenarios { key } tasks { key } } hyperParameters { maxEpochs }
            dataset { name vocabularyOf { id } vocabularySize }
          }
        }
      }`,
      { input: { run: base, dataset: grown, hyperParameters: { maxEpochs: 3 } } },
    );
    expect(errors).toBeUndefined();
    const { id, dataset: of, ...run } = data.extendModel.run;
    queued.push(id);
    expect(run).toEqual({
      kind: "EXTEND",
      state: "QUEUED",
      seed: 1,
      parent: { id: base },
      extended: { scenarios: [{ key: "mall" }], tasks: [] },
      hyperParameters: { maxEpochs: 3 },
    });
    const { data: first } = await made.server.query(
      `query ($id: ID!) { dataset(id: $id) { vocabularySize vocabularyOf { id } } }`,
      { id: dataset },
    );
    expect(of).toEqual({ name: "grown", vocabularyOf: { id: dataset }, vocabularySize: first.dataset.vocabularySize });
    expect(first.dataset.vocabularyOf).toBeNull();
  });

  it("refuses a run that is no pruned model", async () => {
    expect(await refusal({ run: search })).toMatchObject({
      message: `input.run: expected a PRUNE or EXTEND run in state SUCCEEDED, on all cells, but ${search} is a SEARCH run in state SUCCEEDED`,
      code: "CONFLICT",
      hint: "prune it first",
    });
  });

  it("refuses a dataset with ids of its own, and one that has nothing new", async () => {
    expect(await refusal({ dataset: other })).toMatchObject({
      message: `input.dataset: expected a dataset with the vocabulary of ${dataset}, but ${other} has another`,
      code: "CONFLICT",
      hint: `register the file with \`vocabularyOf: "${dataset}"\``,
    });
    expect(await refusal({ dataset })).toMatchObject({
      message: "input.dataset: expected new scenarios or new tasks behind those of the run, got none",
      code: "INVALID_INPUT",
    });
  });
});

describe("registerDataset refuses a vocabulary", () => {
  const refused = (change: object): Promise<Record<string, unknown>> => {
    const fields = [{ column: "user" }, { column: "tab" }];
    const input = { ...smallInput, name: "again", file: "mall.csv", fields, vocabularyOf: dataset, ...change };
    return made.server.refused(registerDataset, { input });
  };

  it("of a dataset that is not there", async () => {
    expect(await refused({ vocabularyOf: "ds_0" })).toMatchObject({ code: "NOT_FOUND", field: "input.vocabularyOf" });
  });

  it("of other fields", async () => {
    expect(await refused({ fields: [{ column: "tab" }, { column: "user" }] })).toMatchObject({
      message:
        'input.fields[0]: expected {"column":"user","kind":"CATEGORICAL","minimumCount":1}, as in the dataset whose vocabulary ' +
        'it takes, got {"column":"tab","kind":"CATEGORICAL","minimumCount":1}',
      code: "INVALID_INPUT",
    });
  });

  it("whose scenarios or tasks are not the first ones", async () => {
    expect(await refused({ scenario: { column: "tab", values: [mall, ...smallInput.scenario.values] } })).toMatchObject(
      {
        message:
          'input.scenario.values[0]: expected "home" for "0", as in the dataset whose vocabulary it takes, got "mall"',
      },
    );
    expect(await refused({ labels: smallInput.labels.toReversed() })).toMatchObject({
      message: 'input.labels[0].task: expected "click", as in the dataset whose vocabulary it takes, got "like"',
    });
  });
});
