import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { claimBulk, rowGates, startBulkWorker, untrainedRun } from "../server/bulkWork.ts";
import type { BulkWorker } from "../server/bulkWork.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { smallInput } from "../server/smallDataset.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** For people who have onnxruntime and nothing of this product. */
const example = join(root, "examples/export/predict.mjs");

interface Row {
  readonly scenario: string;
  readonly values: Readonly<Record<string, unknown>>;
}
interface Example {
  predict(file: string, rows: readonly Row[]): Promise<Record<string, number>[]>;
  vocabularyOf(bytes: Uint8Array): Readonly<Record<string, unknown>>;
}

let made: MadeServer;
let worker: BulkWorker;
let folder: string;
let dataset: string;
let run: string;
let towersRun: string;
let cellRun: string;
let plain: Example;
beforeAll(async () => {
  made = await startMadeServer();
  worker = await startBulkWorker(made);
  folder = await mkdtemp(join(tmpdir(), "autoifs-exported-models-"));
  dataset = await made.imported(smallInput);
  const age = { column: "age", kind: "NUMERIC", bucketing: { kind: "LOG_SQUARED" } };
  const logarithms = await made.imported({ ...smallInput, name: "logarithms", fields: [age, { column: "user" }] });
  run = await untrainedRun(worker.parts, dataset, { head: rowGates });
  towersRun = await untrainedRun(worker.parts, logarithms);
  cellRun = await untrainedRun(worker.parts, dataset, { cell: { scenario: "search", task: "click" } });
  plain = (await import(example)) as Example;
});
afterAll(async () => {
  await made.close();
  await rm(folder, { recursive: true, force: true });
});

const exportModel = `mutation ($input: ExportModelInput!) {
  exportModel(input: $input) { modelExport { id state url bytes cells { auc { value } } } userErrors { code field message } }
}`;
const read = `query ($id: ID!) {
  modelExport(id: $id) {
    run { id } modelVersion { number } format scenario { key } quantised state bytes url maxDifference checkedRows
    tableBytesBefore tableBytesAfter error { code message } finishedAt
    cells { scenario { key } task { key } auc { value low high reason } logloss { value low high reason } }
  }
}`;
const predict = `query ($run: ID!, $rows: [PredictRowInput!]!) {
  predict(run: $run, rows: $rows) { rows { tasks { task { key } probability } } }
}`;

/** Asks, works, fetches. */
async function exported(input: object) {
  const { data } = await made.server.query(exportModel, { input });
  expect(data.exportModel.userErrors).toEqual([]);
  const { id } = data.exportModel.modelExport;
  await worker.workOff();
  const record = (await made.server.query(read, { id })).data.modelExport;
  expect(record).toMatchObject({ state: "SUCCEEDED", error: null, url: `/model-exports/${id}` });
  const answer = await fetch(made.server.url + record.url);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect([answer.status, bytes.length]).toEqual([200, record.bytes]);
  const file = join(folder, id);
  await writeFile(file, bytes);
  return { id, record, answer, bytes, file };
}

async function predicted(id: string, rows: readonly Row[]): Promise<Record<string, number>[]> {
  const { data } = await made.server.query(predict, { run: id, rows });
  type Answer = { tasks: { task: { key: string }; probability: number }[] };
  return (data.predict.rows as Answer[]).map(({ tasks }) =>
    Object.fromEntries(tasks.map(({ task, probability }) => [task.key, probability])),
  );
}

function expectSame(own: Record<string, number>[], expected: Record<string, number>[], tolerance: number): void {
  expect(own.map((row) => Object.keys(row))).toEqual(expected.map((row) => Object.keys(row)));
  for (const [i, row] of expected.entries()) {
    for (const [task, p] of Object.entries(row)) expect(Math.abs(own[i]![task]! - p)).toBeLessThan(tolerance);
  }
}

/** Values known and unknown, missing, as text and as numbers. */
const rows: readonly Row[] = [
  { scenario: "home", values: { user: "u1", item: "i0", age: 31 } },
  { scenario: "search", values: { user: "u2", item: "i5", age: "59.5" } },
  { scenario: "home", values: { user: "nobody", item: null, age: 2 } },
  { scenario: "search", values: { user: "", item: "i3", age: null } },
  { scenario: "home", values: { user: "u11", item: "i8", age: 25.25 } },
];

const kindsFields = [
  { column: "history", kind: "SEQUENCE", maximumLength: 4, pooling: "TARGET_ATTENTION", target: "item" },
  { column: "item" },
  { column: "tags", kind: "MULTI_VALUED", maximumLength: 3, separator: "," },
  { column: "age", kind: "NUMERIC", bucketing: { kind: "VALUE", scale: "LOG" } },
  { column: "image", kind: "VECTOR", width: 2 },
  { column: "tab" },
];

function kindsCsv(): string {
  const lines = Array.from({ length: 60 }, (_, i) => {
    const history = Array.from({ length: i % 6 }, (_, j) => `i${(i + j) % 7}`).join("|");
    const tags = Array.from({ length: i % 4 }, (_, j) => `t${(i * j) % 5}`).join(",");
    const part = i % 10 === 8 ? "valid" : i % 10 === 9 ? "test" : "train";
    const image = i % 7 === 0 ? "" : `${i / 10};${-i}`;
    return `${history},i${i % 7},"${tags}",${i % 5 === 0 ? "" : i * i},${image},${i % 3 === 0 ? 1 : 0},${i % 2},0,${part}`;
  });
  return ["history,item,tags,age,image,tab,click,like,part", ...lines, ""].join("\n");
}

/** As lists and as text, missing, unknown, of one value and of too many. */
const kindsRows: readonly Row[] = [
  { scenario: "home", values: { history: ["i1", "i2"], item: "i1", tags: ["t1"], age: 12, image: [0.5, -2] } },
  { scenario: "search", values: { history: "i3|nobody|i1", item: "i6", tags: "t1,t1,t2", age: "-3.5", image: "1;2" } },
  { scenario: "home", values: { history: null, item: "new", tags: "", age: null, image: null } },
  {
    scenario: "search",
    values: { history: "i1|i2|i3|i4|i5|i6", item: "i2", tags: ["t4", "t3", "t2", "t1"], age: 0, image: "[3, 4]" },
  },
];

describe("a model exported as ONNX", () => {
  it("answers in a plain onnxruntime session, from its own metadata alone, as the service does", async () => {
    for (const id of [run, towersRun]) {
      const { file, record, answer } = await exported({ run: id, format: "ONNX" });
      expectSame(await plain.predict(file, rows), await predicted(id, rows), 1e-6);
      expect(record).toMatchObject({ run: { id }, modelVersion: null, scenario: null, quantised: false, cells: [] });
      expect(record.maxDifference).toBeLessThan(1e-6);
      expect(record.checkedRows).toBe(30);
      expect(record.tableBytesAfter).toBe(record.tableBytesBefore);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="mxp_\w+\.onnx"$/);
    }
  });

  it("is asked by the examples that docs/export.md shows", async () => {
    const shown = await readFile(join(root, "docs/export.md"), "utf8");
    for (const name of ["predict.mjs", "predict.py"]) {
      expect(shown).toContain(await readFile(join(root, "examples/export", name), "utf8"));
    }
  });

  it("tells fields, scenarios, tasks and how to encode a row", async () => {
    const { bytes } = await exported({ run, format: "ONNX" });
    const { encoding, fields, ...rest } = plain.vocabularyOf(bytes);
    expect(rest).toEqual({
      version: 1,
      run,
      dataset,
      inputs: { ids: "int32 [rows, 4]", scenario: "int32 [rows]" },
      outputs: { probabilities: "float32 [rows, 2]" },
      scenario: {
        column: "tab",
        values: [
          { key: "home", value: "0" },
          { key: "search", value: "1" },
        ],
      },
      tasks: ["click", "like"],
    });
    expect(encoding).toHaveLength(6);
    expect((fields as { column: string; kind: string }[]).map(({ column, kind }) => [column, kind])).toEqual([
      ["user", "CATEGORICAL"],
      ["item", "CATEGORICAL"],
      ["age", "NUMERIC"],
      ["tab", "CATEGORICAL"],
    ]);
  });

  it("has fields of every kind, and its metadata say how to encode them", async () => {
    await made.server.put("kinds.csv", kindsCsv());
    const kinds = await made.imported({ ...smallInput, name: "kinds", file: "kinds.csv", fields: kindsFields });
    const id = await untrainedRun(worker.parts, kinds, { head: rowGates });
    const { file, bytes, record } = await exported({ run: id, format: "ONNX" });
    expectSame(await plain.predict(file, kindsRows), await predicted(id, kindsRows), 1e-6);
    expect(record.maxDifference).toBeLessThan(1e-6);
    const { version, inputs, fields } = plain.vocabularyOf(bytes) as Record<string, unknown>;
    expect([version, inputs]).toEqual([
      2,
      { ids: "int32 [rows, 10]", numbers: "float32 [rows, 3]", scenario: "int32 [rows]" },
    ]);
    type Place = { column: string; ids: { count: number }; numbers: { count: number } };
    const places = (fields as Place[]).map(({ column, ids, numbers }) => [column, ids.count, numbers.count]);
    expect(places).toEqual([
      ["history", 4, 0],
      ["item", 1, 0],
      ["tags", 3, 0],
      ["age", 1, 1],
      ["image", 0, 2],
      ["tab", 1, 0],
    ]);
    const { file: home } = await exported({ run: id, format: "ONNX", quantised: true, scenario: "home" });
    const own = kindsRows.filter(({ scenario }) => scenario === "home");
    expectSame(await plain.predict(home, own), await predicted(id, own), 0.2);
    const inTfjs = await exported({ run: id, format: "TFJS" });
    expect(inTfjs.record.maxDifference).toBeLessThan(1e-5);
  });

  it("for one scenario has no input for it; a run on one cell is exported with that alone", async () => {
    const own = rows.filter(({ scenario }) => scenario === "search");
    const { file, record } = await exported({ run, format: "ONNX", scenario: "search" });
    expect(record.scenario).toEqual({ key: "search" });
    expectSame(await plain.predict(file, own), await predicted(run, own), 1e-6);
    const ofCell = await exported({ run: cellRun, format: "ONNX" });
    expectSame(await plain.predict(ofCell.file, own), await predicted(cellRun, own), 1e-6);
  });

  it("with quantised tables is smaller, and says what that does to each cell", async () => {
    const { file, record } = await exported({ run, format: "ONNX", quantised: true });
    expect(record.maxDifference).toBeGreaterThan(0);
    expect(record.tableBytesAfter).toBe(record.tableBytesBefore / 2);
    expect(
      record.cells.map((cell: { scenario: { key: string }; task: { key: string } }) => [
        cell.scenario.key,
        cell.task.key,
      ]),
    ).toEqual([
      ["home", "click"],
      ["home", "like"],
      ["search", "click"],
      ["search", "like"],
    ]);
    for (const { logloss } of record.cells) expect(Math.abs(logloss.value)).toBeLessThan(0.1);
    expect(record.cells[0].auc).toMatchObject({ reason: null });
    expect(record.cells[3].auc).toEqual({ value: null, low: null, high: null, reason: "ONE_CLASS" });
    expectSame(await plain.predict(file, rows), await predicted(run, rows), 0.2);
    const one = await exported({ run, format: "ONNX", quantised: true, scenario: "home" });
    expect(one.record.cells).toHaveLength(2);
  });
});

describe("a model exported for TensorFlow.js", () => {
  it("is a tar of a graph model with its vocabulary, which tfjs loads and which answers as the service does", async () => {
    const { bytes, answer, id } = await exported({ run, format: "TFJS" });
    expect(answer.headers.get("content-type")).toBe("application/x-tar");
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="${id}.tar"`);
    const files = untarred(bytes);
    expect([...files.keys()]).toEqual(
      ["README.md", "model.json", "group1-shard1of1.bin", "vocabulary.json"].map((name) => `${id}/${name}`),
    );
    const text = (name: string) => JSON.parse(files.get(`${id}/${name}`)!.toString("utf8"));
    const weights = Uint8Array.from(files.get(`${id}/group1-shard1of1.bin`)!).buffer;
    await tf.setBackend("cpu");
    const model = tf.loadGraphModelSync([text("model.json"), weights]);
    const { fields, scenario, tasks } = text("vocabulary.json");
    // Known values of every field, by their places in the vocabulary.
    const places = [1, 2, 0, 1];
    const ids = fields.map(({ firstId }: { firstId: number }, i: number) => firstId + places[i]!);
    const known = fields.map(({ values }: { values: string[] }, i: number) => values[places[i]!]);
    const key = scenario.values.find(({ value }: { value: string }) => value === known[3])!.key;
    const age = [20, 30, 40, 50].find((one) => bucketOf(fields[2].bucketing.boundaries, one) === known[2])!;
    const place = scenario.values.findIndex((one: { key: string }) => one.key === key);
    const output = model.predict({
      ids: tf.tensor2d([ids], [1, 4], "int32"),
      scenario: tf.tensor1d([place], "int32"),
    }) as tf.Tensor;
    const own = Object.fromEntries(tasks.map((task: string, m: number) => [task, output.dataSync()[m]!]));
    expectSame([own], await predicted(run, [{ scenario: key, values: { user: known[0], item: known[1], age } }]), 1e-5);
    model.dispose();
  });

  it("may be quantised, and may be for one scenario", async () => {
    const { record } = await exported({ run: towersRun, format: "TFJS", quantised: true, scenario: "home" });
    expect(record).toMatchObject({ format: "TFJS", quantised: true, scenario: { key: "home" } });
    expect(record.cells).toHaveLength(2);
  });
});

const bucketOf = (boundaries: readonly number[], x: number): string =>
  String(boundaries.filter((one) => one <= x).length);

/** Content by name. */
function untarred(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; bytes[at] !== 0;) {
    const name = bytes
      .subarray(at, at + 100)
      .toString("utf8")
      .replace(/\0+$/, "");
    const size = Number.parseInt(bytes.subarray(at + 124, at + 135).toString("ascii"), 8);
    files.set(name, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

describe("exports of models", () => {
  it("of a name are of the version it stands for, and are listed newest first, by run, and found as nodes", async () => {
    await made.server.query(
      `mutation ($run: ID!) {
      registerModel(input: { key: "feed" }) { model { id } }
      createModelVersion(input: { model: "feed", run: $run }) { modelVersion { id } }
    }`,
      { run },
    );
    const { id, record } = await exported({ model: "feed@latest", format: "ONNX" });
    expect(record).toMatchObject({ run: { id: run }, modelVersion: { number: 1 } });
    const { data } = await made.server.query(
      `query ($run: ID!, $id: ID!) {
        modelExports(first: 1) { totalCount nodes { id } }
        ofRun: modelExports(run: $run) { totalCount }
        node(id: $id) { __typename id }
      }`,
      { run: cellRun, id },
    );
    expect(data.modelExports.nodes).toEqual([{ id }]);
    expect(data.modelExports.totalCount).toBeGreaterThan(data.ofRun.totalCount);
    expect(data.ofRun.totalCount).toBe(1);
    expect(data.node).toEqual({ __typename: "ModelExport", id });
  });

  it("wait for a worker, begin again where one has died, and are made once for a key", async () => {
    const input = { run, format: "ONNX", idempotencyKey: "nightly" };
    const { data } = await made.server.query(exportModel, { input });
    const { id, ...rest } = data.exportModel.modelExport;
    expect(rest).toEqual({ state: "QUEUED", url: null, bytes: null, cells: [] });
    expect((await made.server.query(exportModel, { input })).data.exportModel.modelExport.id).toBe(id);
    expect((await fetch(`${made.server.url}/model-exports/${id}`)).status).toBe(409);
    await claimBulk(made.store, -1);
    await made.store.jobs.requeueLapsed({ maxAttempts: 3 });
    await worker.workOff();
    expect((await made.server.query(read, { id })).data.modelExport.state).toBe("SUCCEEDED");
  });

  it("lose their file after 30 days, and go with their run when it is purged", async () => {
    const other = await untrainedRun(worker.parts, dataset, { seed: 7 });
    const { id, record } = await exported({ run: other, format: "ONNX" });
    const { data } = await made.server.query(
      `mutation ($id: ID!) { deleteNode(input: { id: $id }) { deleted { id } } }`,
      { id: other },
    );
    expect(data.deleteNode.deleted.id).toBe(other);
    const plan = await made.server.query(
      `query ($ids: [ID!]!) { purgePlan(ids: $ids) { goes { kind count } bytes fingerprint } }`,
      { ids: [other] },
    );
    const { goes, bytes, fingerprint } = plan.data.purgePlan;
    expect(goes).toContainEqual({ kind: "MODEL_EXPORT", count: 1 });
    expect(bytes).toBeGreaterThanOrEqual(record.bytes);

    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 30 * 86_400_000 + 1000 });
    onTestFinished(() => void vi.useRealTimers());
    const { artifactHash: hash } = await made.store.modelExports.get(id);
    await made.store.artifacts.sweep();
    vi.useRealTimers();
    expect((await made.server.query(read, { id })).data.modelExport).toMatchObject({ state: "SUCCEEDED", url: null });
    await expect(access(made.store.artifacts.path(hash!))).rejects.toThrow("ENOENT");

    const purge = `mutation ($input: PurgeInput!) { purge(input: $input) { gone { kind } userErrors { code } } }`;
    // What comes free is another thing now.
    const stale = await made.server.query(purge, { input: { ids: [other], fingerprint } });
    expect(stale.data.purge.userErrors).toEqual([{ code: "CONFLICT" }]);
    const again = await made.server.query(`query ($ids: [ID!]!) { purgePlan(ids: $ids) { fingerprint } }`, {
      ids: [other],
    });
    const now = again.data.purgePlan.fingerprint;
    await made.server.query(purge, { input: { ids: [other], fingerprint: now } });
    expect((await made.server.query(read, { id })).data.modelExport).toBeNull();
  });

  it("of what there is not, or of two things, are refused, and nothing is written", async () => {
    const count = async () => (await made.server.query("{ modelExports { totalCount } }")).data.modelExports.totalCount;
    const before = await count();
    const refusal = async (input: object) =>
      (await made.server.query(exportModel, { input })).data.exportModel.userErrors[0] as Record<string, unknown>;
    expect(await refusal({ format: "ONNX" })).toMatchObject({
      code: "INVALID_INPUT",
      message: "input.run: expected either a run or a model, got neither",
    });
    expect(await refusal({ run, model: "feed", format: "ONNX" })).toMatchObject({ field: "input.run" });
    expect(await refusal({ run: "run_none", format: "ONNX" })).toMatchObject({ code: "NOT_FOUND", field: "input.run" });
    expect(await refusal({ model: "none", format: "ONNX" })).toMatchObject({ code: "NOT_FOUND", field: "input.model" });
    expect(await refusal({ run: cellRun, scenario: "home", format: "ONNX" })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.scenario",
      message: 'input.scenario: expected one of "search", got "home"',
    });
    expect(await count()).toBe(before);
  });
});
