import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBulkWorker, untrainedRun } from "../server/bulkWork.ts";
import type { BulkWorker } from "../server/bulkWork.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { smallInput } from "../server/smallDataset.ts";

let made: MadeServer;
let worker: BulkWorker;
let dataset: string;
let run: string;
let version: string;
beforeAll(async () => {
  made = await startMadeServer();
  worker = await startBulkWorker(made);
  await made.server.put("kinds.csv", csv());
  dataset = await made.imported(input);
  run = await untrainedRun(worker.parts, dataset);
  await answered(`mutation { registerModel(input: { key: "feed" }) { model { key } } }`);
  const { createModelVersion } = await answered(
    `mutation ($run: ID!) { createModelVersion(input: { model: "feed", run: $run }) { modelVersion { id } } }`,
    { run },
  );
  version = createModelVersion.modelVersion.id;
});
afterAll(() => made.close());

const input = {
  name: "kinds",
  file: "kinds.csv",
  fields: [
    { column: "item" },
    { column: "history", kind: "SEQUENCE", target: "item", pooling: "TARGET_ATTENTION", maximumLength: 3 },
    { column: "tags", kind: "MULTI_VALUED", minimumCount: 2 },
    { column: "price", kind: "NUMERIC", bucketing: { kind: "VALUE", scale: "LOG" } },
    { column: "age", kind: "NUMERIC", bucketing: { kind: "VALUE" } },
    { column: "image", kind: "VECTOR", width: 2 },
    { column: "tab" },
  ],
  scenario: smallInput.scenario,
  labels: smallInput.labels,
  split: smallInput.split,
};

function csv(): string {
  const rows = Array.from({ length: 120 }, (_, i) => {
    const history = [i % 5, i % 7, i % 3, i % 2].slice(i % 5).map((item) => `i${item}`);
    const part = i % 10 === 8 ? "valid" : i % 10 === 9 ? "test" : "train";
    const tags = i % 4 === 0 ? "" : `t${i % 3}|t${i % 6}`;
    const image = i % 6 === 0 ? "" : `${i / 10};${-i}`;
    const labels = [i % 2, i % 3 === 0 ? 1 : 0];
    return [`i${i % 6}`, history.join("|"), tags, i % 9 === 0 ? "" : i, 20 + i, image, i % 2, ...labels, part].join(
      ",",
    );
  });
  return ["item,history,tags,price,age,image,tab,click,like,part", ...rows, ""].join("\n");
}

async function answered(document: string, variables?: Readonly<Record<string, unknown>>) {
  const { data, errors } = await made.server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const values = {
  item: "i1",
  history: ["i1", "i9", "i2"],
  tags: ["t0", "t1"],
  price: 10,
  age: null,
  image: [0.5, -2],
};
const asTexts = { item: "i1", history: "i1|i9|i2", tags: "t0|t1", price: "10", age: "", image: "0.5;-2" };

async function probabilities(...rows: readonly object[]): Promise<number[]> {
  const query = `query ($run: ID!, $rows: [PredictRowInput!]!) {
    predict(run: $run, rows: $rows) { rows { tasks { probability } } }
  }`;
  const sent = rows.map((own) => ({ scenario: "home", values: { ...values, ...own } }));
  const { predict } = await answered(query, { run, rows: sent });
  return predict.rows.map((row: { tasks: { probability: number }[] }) => row.tasks[0]!.probability);
}

describe("a dataset with fields of all kinds", () => {
  it("shows how each is read, with what was left to its default", async () => {
    const read = `query ($id: ID!) {
      dataset(id: $id) {
        status vocabularySize
        fields {
          column kind minimumCount bucketing { kind scale } separator maximumLength pooling target width
          kept unknownShare(split: TRAIN) shortenedShare(split: TRAIN)
        }
      }
    }`;
    const none = { separator: null, maximumLength: null, pooling: null, target: null, width: null };
    const plain = { minimumCount: 1, bucketing: null, ...none, unknownShare: 0, shortenedShare: null };
    expect((await answered(read, { id: dataset })).dataset).toEqual({
      status: "READY",
      // item 6 + 1, history 1 (padding), tags 6 + 1 + 1, price and age 2 each, tab 2 + 1
      vocabularySize: 7 + 1 + 8 + 2 + 2 + 3,
      fields: [
        { ...plain, column: "item", kind: "CATEGORICAL", kept: 6 },
        {
          ...plain,
          column: "history",
          kind: "SEQUENCE",
          separator: "|",
          maximumLength: 3,
          pooling: "TARGET_ATTENTION",
          target: "item",
          kept: 0,
          unknownShare: expect.closeTo(0.03, 1),
          shortenedShare: 0.25,
        },
        {
          ...plain,
          column: "tags",
          kind: "MULTI_VALUED",
          minimumCount: 2,
          separator: "|",
          maximumLength: 20,
          kept: 6,
          shortenedShare: 0,
        },
        { ...plain, column: "price", kind: "NUMERIC", bucketing: { kind: "VALUE", scale: "LOG" }, kept: 0 },
        { ...plain, column: "age", kind: "NUMERIC", bucketing: { kind: "VALUE", scale: "STANDARD" }, kept: 0 },
        { ...plain, column: "image", kind: "VECTOR", separator: ";", width: 2, kept: 0 },
        { ...plain, column: "tab", kind: "CATEGORICAL", kept: 2 },
      ],
    });
  });

  it("is refused where a member does not belong to the kind of its field", async () => {
    const register = `mutation ($input: RegisterDatasetInput!) { registerDataset(input: $input) { created } }`;
    const refused = async (field: object) =>
      (await made.server.refused(register, { input: { ...input, fields: [field] } }))["message"];
    expect(await refused({ column: "image", kind: "VECTOR" })).toMatch(/^input\.fields\[0\]\.width: expected/);
    expect(await refused({ column: "item", separator: "|" })).toMatch(/^input\.fields\[0\]\.separator: expected/);
    expect(await refused({ column: "history", kind: "SEQUENCE", pooling: "TARGET_ATTENTION" })).toBe(
      "input.fields[0].target: expected the column of a CATEGORICAL field, got nothing (what the values attend to)",
    );
    const bucketing = { kind: "QUANTILES", count: 3, scale: "LOG" };
    expect(await refused({ column: "age", kind: "NUMERIC", bucketing })).toMatch(
      /^input\.fields\[0\]\.bucketing\.scale/,
    );
  });
});

describe("a model of it", () => {
  it("answers rows with lists as with the texts of a file, and each kind matters", async () => {
    const [lists, texts, ...others] = await probabilities(
      {},
      asTexts,
      { history: ["i2"] },
      { tags: [] },
      { price: 5000 },
      { age: 1 },
      { image: [0.5, 2] },
    );
    expect(lists).toBeGreaterThan(0);
    expect(texts).toBe(lists);
    for (const other of others) expect(other).not.toBe(lists);
    // Further back than the sequence is long, and twice in a set.
    expect(await probabilities({ history: ["i4", "i1", "i9", "i2"], tags: ["t0", "t1", "t0"] })).toEqual([lists]);
  });

  it("says what is wrong with a value, and which are unknown", async () => {
    const query = `query ($run: ID!, $rows: [PredictRowInput!]!) {
      predict(run: $run, rows: $rows) { unknownValues { column rows } }
    }`;
    const row = (own: object) => ({ run, rows: [{ scenario: "home", values: { ...values, ...own } }] });
    expect((await answered(query, row({ tags: ["?", "??"] }))).predict.unknownValues).toEqual([
      { column: "history", rows: 1 },
      { column: "tags", rows: 1 },
    ]);
    expect(await made.server.refused(query, row({ image: [1, 2, 3] }))).toMatchObject({
      code: "INVALID_INPUT",
      message: 'rows[0].values.image: expected 2 numbers separated by ";", got 3 numbers',
    });
  });

  it("ranks candidates that share a history", async () => {
    const { item: _, ...context } = values;
    const rank = `query ($run: ID!, $context: JSON!, $candidates: [RankCandidateInput!]!) {
      rank(run: $run, scenario: "home", context: $context, candidates: $candidates,
        terms: [{ task: "click", weight: 1 }]) { candidates { index } }
    }`;
    const candidates = ["i1", "i2"].map((item) => ({ values: { item } }));
    const { rank: ranking } = await answered(rank, { run, context, candidates });
    expect(ranking.candidates).toHaveLength(2);
  });

  it("tells inference clients what it takes, and takes it", async () => {
    const { inputs } = await (await fetch(`${made.server.url}/v2/models/feed`)).json();
    const forms = inputs.map(({ name, datatype, shape }: Record<string, unknown>) => [name, datatype, shape]);
    expect(forms.slice(0, 6)).toEqual([
      ["item", "BYTES", [-1]],
      ["history", "BYTES", [-1]],
      ["tags", "BYTES", [-1]],
      ["price", "FP64", [-1]],
      ["age", "FP64", [-1]],
      ["image", "FP32", [-1, 2]],
    ]);
    const infer = async (more: readonly object[]) => {
      const tensor = (name: string, datatype: string, shape: number[], data: unknown) => ({
        name,
        datatype,
        shape,
        data,
      });
      const tensors = [
        tensor("item", "BYTES", [1], ["i1"]),
        tensor("history", "BYTES", [1, 4], [["i1", "i9", "i2", ""]]),
        tensor("tags", "BYTES", [1], ["t0|t1"]),
        tensor("price", "FP64", [1], [10]),
        tensor("age", "FP64", [1], [null]),
        tensor("image", "FP32", [1, 2], [0.5, -2]),
        tensor("scenario", "BYTES", [1], ["home"]),
      ];
      const body = {
        inputs: [...tensors.filter(({ name }) => !more.some((own) => "name" in own && own.name === name)), ...more],
      };
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${made.server.url}/v2/models/feed/infer`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      return response.json();
    };
    const [probability] = await probabilities({});
    const { outputs } = await infer([]);
    expect(outputs[0].data).toEqual([probability]);
    expect(await infer([{ name: "image", datatype: "BYTES", shape: [1], data: ["0.5;-2"] }])).toMatchObject({
      outputs,
    });
    expect(await infer([{ name: "image", datatype: "FP32", shape: [1, 3], data: [1, 2, 3] }])).toEqual({
      error: 'input "image", shape: expected [rows, 2], got [1,3]',
    });
    expect(await infer([{ name: "item", datatype: "BYTES", shape: [1, 2], data: ["i1", "i2"] }])).toEqual({
      error: 'input "item", shape: expected [rows] or [rows, 1], got [1,2]',
    });
  });

  it("answers the rows of a file as it answers them one by one", async () => {
    const begin = `mutation ($input: PredictBatchInput!) {
      predictBatch(input: $input) { batchPrediction { id } }
    }`;
    const cells = ["i1", "i1|i9|i2", "t0|t1", "10", "", "0.5;-2", "0"];
    await made.server.put("few.csv", `${input.fields.map(({ column }) => column).join(",")}\n${cells.join(",")}\n`);
    const { predictBatch } = await answered(begin, { input: { run, file: "few.csv", format: "JSONL" } });
    await worker.workOff();
    const read = `query ($id: ID!) { batchPrediction(id: $id) { state url unknownValues { column rows } } }`;
    const { batchPrediction } = await answered(read, { id: predictBatch.batchPrediction.id });
    expect(batchPrediction).toMatchObject({ state: "SUCCEEDED", unknownValues: [{ column: "history", rows: 1 }] });
    const lines = await (await fetch(made.server.url + batchPrediction.url)).text();
    const [probability] = await probabilities({});
    expect(JSON.parse(lines.split("\n")[0]!)["probability:click"]).toBe(probability);
  });

  it("has its values and numbers counted for the drift, apart from vectors", async () => {
    const query = `query ($version: ID!) { node(id: $version) { ... on ModelVersion {
      drift(from: "2020-01-01T00:00:00.000Z", to: "2020-12-31T23:59:59.000Z") {
        scenario { key } column trainingRows bins { kind value trainingShare }
      }
    } } }`;
    const { node } = await answered(query, { version });
    const home = node.drift.filter(({ scenario }: { scenario: { key: string } }) => scenario.key === "home");
    expect(home.map(({ column }: { column: string }) => column)).toEqual([
      "item",
      "history",
      "tags",
      "price",
      "age",
      "tab",
    ]);
    const [item, history, , price] = home;
    expect(price.trainingRows).toBe(item.trainingRows);
    const bins: { kind: string; value: string; trainingShare: number }[] = price.bins;
    expect(bins.slice(-3).map(({ kind, value }) => [kind, value])).toEqual([
      ["VALUE", expect.stringMatching(/^from \d/)],
      ["VALUE", ""],
      ["UNKNOWN", null],
    ]);
    expect(bins.reduce((sum, { trainingShare }) => sum + trainingShare, 0)).toBeCloseTo(1);
    // The values of a history are those of the item, with one more for rows without any.
    const valuesOf = (field: { bins: { kind: string; value: string }[] }) =>
      field.bins.filter(({ kind }) => kind === "VALUE").map(({ value }) => value);
    expect(valuesOf(history)).toEqual([...valuesOf(item), ""]);
    expect(history.trainingRows).toBeGreaterThan(item.trainingRows);
  });
});
