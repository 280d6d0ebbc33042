import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openFileRows } from "../../src/data/fileRows.ts";
import { claimBulk, startBulkWorker } from "../server/bulkWork.ts";
import type { BulkWorker } from "../server/bulkWork.ts";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";

let made: MadeServer;
let worker: BulkWorker;
let dataset: string;
let first: string;
let second: string;
let ofOneCell: string;
beforeAll(async () => {
  made = await startMadeServer();
  worker = await startBulkWorker(made);
  dataset = await made.imported();
  first = await madeRun(made.store, { dataset, seed: 1, skill: 1 });
  second = await madeRun(made.store, { dataset, seed: 2, skill: 2 });
  ofOneCell = await madeRun(made.store, { dataset, seed: 3, skill: 1, cell: { scenario: "search", task: "click" } });
});
afterAll(() => made.close());

const exportRuns = `mutation ($input: ExportRunsInput!) { exportRuns(input: $input) { export { id state url rows bytes } } }`;
const exportMetrics = `mutation ($input: ExportMetricsInput!) { exportMetrics(input: $input) { export { id } } }`;
const exportPredictions = `mutation ($input: ExportPredictionsInput!) {
  exportPredictions(input: $input) { export { id } userErrors { code field message } }
}`;
const read = `query ($id: ID!) {
  export(id: $id) { kind format state rows bytes url error { code message } createdAt finishedAt }
}`;

/** Asks, works, and answers the export with its rows. */
async function exported(document: string, input: object): Promise<{ id: string; answer: Response; rows: string[] }> {
  const { data, errors } = await made.server.query(document, { input });
  if (errors) throw new Error(errors[0]!.message);
  const { id } = Object.values(data as Record<string, { export: { id: string } }>)[0]!.export;
  await worker.workOff();
  const { data: after } = await made.server.query(read, { id });
  expect(after.export).toMatchObject({ state: "SUCCEEDED", error: null, url: `/exports/${id}` });
  const answer = await fetch(made.server.url + after.export.url);
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(bytes.length).toBe(after.export.bytes);
  if (after.export.format === "JSONL") {
    const rows = bytes.toString("utf8").split("\n");
    expect(rows.pop()).toBe("");
    expect(rows).toHaveLength(after.export.rows);
    return { id, answer, rows };
  }
  return { id, answer, rows: await parquetRows(bytes) };
}

/** Each row as the JSON of its columns' texts. */
async function parquetRows(bytes: Buffer): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), "autoifs-exported-"));
  const file = join(scratch, "exported.parquet");
  await writeFile(file, bytes);
  const columns = ["run", "epoch", "metric", "value"];
  const source = await openFileRows({ file, columns, scratch });
  const rows: string[] = [];
  for await (const { rows: count, texts } of source.read(0, 1000)) {
    for (let row = 0; row < count; row++) rows.push(JSON.stringify(texts.map((column) => column[row])));
  }
  await source.close();
  await rm(scratch, { recursive: true });
  return rows;
}

const parsed = (rows: readonly string[]) => rows.map((row) => JSON.parse(row) as Record<string, unknown>);

describe("an export of runs", () => {
  it("is QUEUED first, with nothing to fetch", async () => {
    const { data } = await made.server.query(exportRuns, { input: {} });
    const { id, ...rest } = data.exportRuns.export;
    expect(rest).toEqual({ state: "QUEUED", url: null, rows: null, bytes: null });
    const early = await fetch(`${made.server.url}/exports/${id}`);
    expect(early.status).toBe(409);
    const message = `export ${id}: expected one in state SUCCEEDED, but it is QUEUED`;
    expect(await early.json()).toMatchObject({ errors: [{ message, extensions: { code: "CONFLICT" } }] });
    await worker.workOff();
  });

  it("has a row for every run, newest first, with what was chosen and what came of it", async () => {
    const { rows } = await exported(exportRuns, { filter: { dataset } });
    const runs = parsed(rows);
    expect(runs.map(({ id }) => id)).toEqual([ofOneCell, second, first]);
    const { data } = await made.server.query(
      `query ($id: ID!) { run(id: $id) { createdAt finishedAt metrics { name mean } } }`,
      { id: first },
    );
    const means = (data.run.metrics as { name: string; mean: number }[]).map(({ name, mean }) => [name, mean]);
    expect(runs[2]).toMatchObject({
      kind: "TRAIN",
      state: "SUCCEEDED",
      dataset,
      datasetName: "made",
      datasetVersion: 1,
      backbone: "shared-bottom",
      backboneConfig: { layers: [8] },
      engine: "COMPILED",
      seed: 1,
      scenario: null,
      validation: null,
      test: Object.fromEntries(means),
      createdAt: data.run.createdAt,
      finishedAt: data.run.finishedAt,
    });
    expect(runs[0]).toMatchObject({ scenario: "search", task: "click" });
  });

  it("has those that the filter holds for, times included", async () => {
    const filter = { or: [{ seed: 2 }, { seed: 3 }], not: { seed: 3 }, createdAfter: "2020-01-01T00:00:00.000Z" };
    expect(parsed((await exported(exportRuns, { filter })).rows).map(({ id }) => id)).toEqual([second]);
    const late = { createdAfter: "2100-01-01T00:00:00.000Z" };
    expect((await exported(exportRuns, { filter: late })).rows).toEqual([]);
  });
});

describe("an export of metrics", () => {
  it("has a row for every run, epoch, split, scenario, task and metric, in Parquet the same as in JSON lines", async () => {
    const filter = { dataset };
    const lines = await exported(exportMetrics, { filter });
    const metrics = parsed(lines.rows);
    const query = `query ($id: ID!) { run(id: $id) { matrix { cells { scenario { key } task { key } auc } } } }`;
    const { data } = await made.server.query(query, { id: second });
    for (const cell of data.run.matrix.cells) {
      const row = metrics.find(
        ({ run, metric, scenario, task }) =>
          run === second && metric === "AUC" && scenario === cell.scenario.key && task === cell.task.key,
      );
      expect(row).toMatchObject({ dataset, epoch: null, split: "TEST", value: cell.auc });
    }
    const text = (value: unknown): string => (value === null ? "" : String(value));
    const expected = metrics.map(({ run, epoch, metric, value }) =>
      JSON.stringify([run, epoch, metric, value].map(text)),
    );
    const parquet = await exported(exportMetrics, { filter, format: "PARQUET" });
    expect(parquet.rows).toEqual(expected);
    expect(parquet.answer.headers.get("content-type")).toBe("application/vnd.apache.parquet");
  });

  it("may be empty in both formats", async () => {
    const filter = { seed: 99 };
    expect((await exported(exportMetrics, { filter })).rows).toEqual([]);
    expect((await exported(exportMetrics, { filter, format: "PARQUET" })).rows).toEqual([]);
  });
});

describe("an export of predictions", () => {
  it("has each row of the test split with the label and the probability of each task", async () => {
    const rows = parsed((await exported(exportPredictions, { run: first })).rows);
    const probabilities = await keptPredictions(first);
    expect(rows).toHaveLength(3000 * 2);
    expect(rows.map(({ probability }) => probability)).toEqual([...probabilities]);
    expect(rows.slice(0, 2).map(({ row, task }) => [row, task])).toEqual([
      [0, "click"],
      [0, "like"],
    ]);
    // In search nobody likes anything.
    const likes = rows.filter(({ scenario, task, label }) => scenario === "search" && task === "like" && label === 1);
    expect(likes).toEqual([]);
    expect(rows.some(({ label }) => label === 1)).toBe(true);
  });

  it("of a run on one cell has the rows of its scenario, with their places in the whole split", async () => {
    const whole = parsed((await exported(exportPredictions, { run: first })).rows);
    const own = parsed((await exported(exportPredictions, { run: ofOneCell })).rows);
    const probabilities = await keptPredictions(ofOneCell);
    const expected = whole.filter(({ scenario, task }) => scenario === "search" && task === "click");
    expect(own).toEqual(expected.map((row, i) => ({ ...row, probability: probabilities[i] })));
  });

  it("is refused for a run that has none", async () => {
    const { id } = await made.store.runs.create({
      kind: "TRAIN",
      datasetId: dataset,
      backboneName: "mmoe",
      backboneConfig: {},
      head: { kind: "TOWERS" },
      hyperParameters: {},
      configurationHash: "waits",
      seed: 1,
      engine: "compiled",
    });
    const { data } = await made.server.query(exportPredictions, { input: { run: id } });
    const expected = "a run in state SUCCEEDED whose predictions were kept";
    expect(data.exportPredictions).toEqual({
      export: null,
      userErrors: [
        { code: "CONFLICT", field: "input.run", message: `input.run: expected ${expected}, but ${id} is QUEUED` },
      ],
    });
  });
});

async function keptPredictions(id: string): Promise<Float32Array> {
  const { predictionsHash } = await made.store.runs.get(id);
  return new Float32Array((await made.store.artifacts.read(predictionsHash!)).slice().buffer);
}

describe("the file of an export", () => {
  it("can be fetched in part, asked for again for nothing, and has its hash as ETag", async () => {
    const { id, answer, rows } = await exported(exportRuns, { filter: { seed: 2 } });
    const url = `${made.server.url}/exports/${id}`;
    const text = `${rows[0]}\n`;
    const etag = answer.headers.get("etag")!;
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="${id}.jsonl"`);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    const get = (headers: Record<string, string>, method = "GET") => fetch(url, { headers, method });

    const part = await get({ range: "bytes=3-9" });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 3-9/${text.length}`]);
    expect(await part.text()).toBe(text.slice(3, 10));
    expect(await (await get({ range: "bytes=-5", "if-range": etag })).text()).toBe(text.slice(-5));
    expect(await (await get({ range: "bytes=5-", "if-range": '"another"' })).text()).toBe(text);
    expect((await get({ range: `bytes=${text.length}-` })).status).toBe(416);
    expect((await get({ "if-none-match": `"other", ${etag}` })).status).toBe(304);
    const head = await get({}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      200,
      String(text.length),
      "",
    ]);
  });

  it("is gone after 30 days, and the export says so", async () => {
    const { id } = await exported(exportRuns, { filter: { seed: 2 } });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 30 * 86_400_000 + 1000 });
    onTestFinished(() => void vi.useRealTimers());
    await made.store.artifacts.sweep();
    vi.useRealTimers();
    const { data } = await made.server.query(read, { id });
    expect(data.export).toMatchObject({ state: "SUCCEEDED", rows: 1, bytes: null, url: null });
    const gone = await fetch(`${made.server.url}/exports/${id}`);
    expect(gone.status).toBe(404);
    const message = `export ${id}: expected its file, but files are kept for 30 days and it is gone`;
    expect(await gone.json()).toMatchObject({ errors: [{ message, extensions: { code: "NOT_FOUND" } }] });
  });

  it.each(["xpt_none", "..%2F..%2Fetc%2Fpasswd", ""])("is not found under %j", async (id) => {
    const response = await fetch(`${made.server.url}/exports/${id}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "NOT_FOUND" } }] });
  });
});

describe("exports", () => {
  it("are listed newest first, and found as nodes", async () => {
    const { data } = await made.server.query(`{ exports(first: 2) { totalCount nodes { id kind } } }`);
    const [newest, next] = data.exports.nodes;
    expect(newest.id > next.id).toBe(true);
    const node = await made.server.query(`query ($id: ID!) { node(id: $id) { __typename id } }`, { id: newest.id });
    expect(node.data.node).toEqual({ __typename: "Export", id: newest.id });
  });

  it("that a worker has died on begin again", async () => {
    const { data } = await made.server.query(exportRuns, { input: { filter: { dataset } } });
    const { id } = data.exportRuns.export;
    await claimBulk(made.store, -1);
    expect((await made.server.query(read, { id })).data.export.state).toBe("RUNNING");
    await made.store.jobs.requeueLapsed({ maxAttempts: 3 });
    expect((await made.server.query(read, { id })).data.export.state).toBe("QUEUED");
    await worker.workOff();
    expect((await made.server.query(read, { id })).data.export).toMatchObject({ state: "SUCCEEDED", rows: 4 });
  });

  it("are refused with a filter that cannot be, and nothing is written", async () => {
    const count = async () => (await made.server.query("{ exports { totalCount } }")).data.exports.totalCount;
    const before = await count();
    const filter = { not: { deleted: "INCLUDED" } };
    const refused = await made.server.refused(exportRuns, { input: { filter } });
    expect(refused).toMatchObject({ code: "INVALID_INPUT", field: "input.filter.not.deleted" });
    expect(await count()).toBe(before);
  });

  it("are made once for a key, however often they are asked for", async () => {
    const input = { format: "PARQUET", idempotencyKey: "nightly" };
    const one = await made.server.query(exportRuns, { input });
    const again = await made.server.query(exportRuns, { input });
    expect(again.data.exportRuns.export.id).toBe(one.data.exportRuns.export.id);
    await worker.workOff();
  });
});
