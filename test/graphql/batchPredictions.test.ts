import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parquetFromLines } from "../../src/data/lineFiles.ts";
import { predictBatchJob } from "../../src/services/batch/batchJob.ts";
import type { Store } from "../../src/store/store.ts";
import { claimBulk, startBulkWorker, untrainedRun } from "../server/bulkWork.ts";
import type { BulkWorker } from "../server/bulkWork.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { smallInput } from "../server/smallDataset.ts";

let made: MadeServer;
let worker: BulkWorker;
let run: string;
let runOfOneCell: string;
beforeAll(async () => {
  made = await startMadeServer();
  worker = await startBulkWorker(made);
  const dataset = await made.imported(smallInput);
  run = await untrainedRun(worker.parts, dataset);
  runOfOneCell = await untrainedRun(worker.parts, dataset, { cell: { scenario: "search", task: "click" } });
  await made.server.put("few.csv", csv(60));
});
afterAll(() => made.close());

interface Row {
  readonly tab: number;
  readonly extra: string;
  readonly user: string;
  readonly age: number | null;
  readonly item: string;
}

/** Rows of both scenarios; some users and items are ones that training has not seen, some ages are missing. */
function rowsOf(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    tab: i % 3 === 0 ? 1 : 0,
    extra: `"${i}, of no use"`,
    user: `u${i % 14}`,
    age: i % 11 === 0 ? null : 18 + (i % 50),
    item: `i${i % 9}`,
  }));
}

function csv(count: number): string {
  const lines = rowsOf(count).map(({ tab, extra, user, age, item }) => [tab, extra, user, age ?? "", item].join(","));
  return ["tab,extra,user,age,item", ...lines, ""].join("\n");
}

const predictBatch = `mutation ($input: PredictBatchInput!) {
  predictBatch(input: $input) { batchPrediction { id state rowsTotal rowsDone url } }
}`;
const cancel = `mutation ($id: ID!) {
  cancelBatchPrediction(input: { batchPrediction: $id }) { batchPrediction { state finishedAt } }
}`;
const read = `query ($id: ID!) {
  batchPrediction(id: $id) {
    run { id } file format state rowsTotal rowsDone unknownValues { column rows } bytes url
    error { code message column line value }
  }
}`;

async function begun(input: object): Promise<string> {
  const { data, errors } = await made.server.query(predictBatch, { input: { run, ...input } });
  if (errors) throw new Error(errors[0]!.message);
  return data.predictBatch.batchPrediction.id;
}

const batch = async (id: string) => (await made.server.query(read, { id })).data.batchPrediction;

async function result(id: string): Promise<Buffer> {
  const { state, url, error } = await batch(id);
  if (state !== "SUCCEEDED") throw new Error(`${id} is ${state}: ${JSON.stringify(error)}`);
  return Buffer.from(await (await fetch(made.server.url + url)).arrayBuffer());
}

const parsed = (bytes: Buffer) =>
  bytes
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What `predict` answers for rows of the file. */
async function predicted(id: string, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
  const { data, errors } = await made.server.query(
    `query ($id: ID!, $rows: [PredictRowInput!]!) {
      predict(run: $id, rows: $rows) { rows { scenario { key } tasks { task { key } probability } } }
    }`,
    {
      id,
      rows: rows.map(({ tab, user, age, item }) => ({
        scenario: tab === 1 ? "search" : "home",
        values: { tab: String(tab), user, age, item },
      })),
    },
  );
  if (errors) throw new Error(errors[0]!.message);
  return data.predict.rows.map(
    ({ scenario, tasks }: { scenario: { key: string }; tasks: { task: { key: string }; probability: number }[] }) => {
      const probabilities = tasks.map(({ task, probability }) => [`probability:${task.key}`, probability]);
      return { scenario: scenario.key, ...Object.fromEntries(probabilities) };
    },
  );
}

/** One whose worker dies, as if it were killed, in the moment before it would record a part. */
function dyingAfter(parts: number): Store {
  const { store } = made;
  let recorded = 0;
  return {
    ...store,
    batchPredictions: {
      ...store.batchPredictions,
      recordPart: (...part) => {
        if (recorded++ === parts) throw new Error("killed");
        return store.batchPredictions.recordPart(...part);
      },
    },
  };
}

const going = { lost: new AbortController().signal, stopping: new AbortController().signal };

describe("a batch prediction", () => {
  it("answers for each row of the file what predict answers, in the order of the file", async () => {
    const id = await begun({ file: "few.csv" });
    expect(await batch(id)).toMatchObject({
      state: "QUEUED",
      rowsTotal: null,
      rowsDone: 0,
      url: null,
      file: "few.csv",
    });
    await worker.workOff();
    const expected = (await predicted(run, rowsOf(60))).map((row, i) => ({ row: i, ...row }));
    expect(parsed(await result(id))).toEqual(expected);
    expect(new Set(expected.map((row) => JSON.stringify(row).replace(/"row":\d+/, ""))).size).toBeGreaterThan(20);
  });

  it("counts the rows with a value that training did not keep, and how far it is", async () => {
    const id = await begun({ file: "few.csv" });
    await worker.workOff();
    const unknown = { user: rowsOf(60).filter(({ user }) => ["u12", "u13"].includes(user)).length };
    const { unknownValues, ...rest } = await batch(id);
    expect(unknownValues).toContainEqual({ column: "user", rows: unknown.user });
    expect(rest).toMatchObject({ run: { id: run }, rowsTotal: 60, rowsDone: 60, format: "JSONL", error: null });
    expect(rest.bytes).toBe((await result(id)).length);
  });

  it("reads CSV, compressed CSV and Parquet alike, and writes Parquet too", async () => {
    await writeFile(join(made.server.files, "few.csv.gz"), gzipSync(csv(60)));
    await made.server.put(
      "few.jsonl",
      rowsOf(60)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    );
    await parquetFromLines({
      lines: join(made.server.files, "few.jsonl"),
      columns: [
        { name: "user", type: "TEXT" },
        { name: "age", type: "INTEGER" },
        { name: "tab", type: "INTEGER" },
        { name: "item", type: "TEXT" },
      ],
      file: join(made.server.files, "few.parquet"),
      scratch: join(made.server.files, "..", "spill"),
    });
    const ids = await Promise.all(["few.csv", "few.csv.gz", "few.parquet"].map((file) => begun({ file })));
    const asParquet = await begun({ file: "few.csv", format: "PARQUET" });
    await worker.workOff();
    const [plain, ...others] = await Promise.all(ids.map(result));
    for (const other of others) expect(other.equals(plain!)).toBe(true);
    expect((await result(asParquet)).subarray(0, 4).toString()).toBe("PAR1");
  });

  it("by a run on one cell answers rows of its scenario for its task", async () => {
    const own = rowsOf(60).filter(({ tab }) => tab === 1);
    const lines = own.map(({ user, age, item }) => `1,${user},${age ?? ""},${item}`);
    await made.server.put("search.csv", ["tab,user,age,item", ...lines, ""].join("\n"));
    const id = await begun({ run: runOfOneCell, file: "search.csv" });
    const mixed = await begun({ run: runOfOneCell, file: "few.csv" });
    await worker.workOff();
    const rows = parsed(await result(id));
    expect(Object.keys(rows[0]!)).toEqual(["row", "scenario", "probability:click"]);
    expect(rows).toEqual((await predicted(runOfOneCell, own)).map((row, i) => ({ row: i, ...row })));
    const message = 'few.csv, line 3, column "tab": expected "1", the only scenario of this run, got "0"';
    expect((await batch(mixed)).error).toMatchObject({ code: "INVALID_INPUT", message, column: "tab", line: 3 });
  });

  it("whose worker is killed goes on after the last part, and the result is the same to the byte", async () => {
    await made.server.put("many.csv", csv(2_500));
    const undisturbed = await begun({ file: "many.csv" });
    const asParquet = await begun({ file: "many.csv", format: "PARQUET" });
    await worker.workOff();
    const whole = await result(undisturbed);
    expect(parsed(whole).map(({ row }) => row)).toEqual(Array.from({ length: 2_500 }, (_, i) => i));

    for (const [format, expected] of [
      ["JSONL", whole],
      ["PARQUET", await result(asParquet)],
    ] as const) {
      const id = await begun({ file: "many.csv", format });
      for (const parts of [1, 1]) {
        const job = (await claimBulk(made.store, -1))!;
        await expect(predictBatchJob({ ...worker.parts, store: dyingAfter(parts) }, job, going)).rejects.toThrow(
          "killed",
        );
        await made.store.jobs.requeueLapsed({ maxAttempts: 2 });
      }
      expect(await batch(id)).toMatchObject({ state: "QUEUED", rowsDone: 2_000, rowsTotal: 2_500 });
      await worker.workOff();
      expect((await result(id)).equals(expected)).toBe(true);
      const { unknownValues } = await batch(id);
      expect(unknownValues).toEqual((await batch(undisturbed)).unknownValues);
    }
  });

  it("is given back with its parts where the worker is asked to stop", async () => {
    const id = await begun({ file: "many.csv" });
    const stop = new AbortController();
    stop.abort();
    const job = (await claimBulk(made.store))!;
    await predictBatchJob(worker.parts, job, { ...going, stopping: stop.signal });
    await made.store.jobs.release(job);
    expect(await batch(id)).toMatchObject({ state: "QUEUED", rowsDone: 1_000 });
    await worker.workOff();
    expect(await batch(id)).toMatchObject({ state: "SUCCEEDED", rowsDone: 2_500 });
  });

  it("that is cancelled ends at once, and its worker can write nothing more", async () => {
    const waiting = await begun({ file: "few.csv" });
    const { data } = await made.server.query(cancel, { id: waiting });
    expect(data.cancelBatchPrediction.batchPrediction).toMatchObject({ state: "CANCELLED" });
    expect(await claimBulk(made.store)).toBeNull();

    const id = await begun({ file: "few.csv" });
    const job = (await claimBulk(made.store))!;
    await made.server.query(cancel, { id });
    await expect(predictBatchJob(worker.parts, job, going)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await batch(id)).toMatchObject({ state: "CANCELLED", rowsDone: 0, url: null });
    const again = await made.server.refused(cancel, { id });
    expect(again).toMatchObject({ code: "CONFLICT", field: "input.batchPrediction", received: "CANCELLED" });
    expect((await fetch(`${made.server.url}/batch-predictions/${id}`)).status).toBe(409);
  });

  it("is listed by its run, and found as a node", async () => {
    const { data } = await made.server.query(
      `query ($run: ID!) { batchPredictions(run: $run, first: 1) { totalCount nodes { id run { id } } } }`,
      { run: runOfOneCell },
    );
    expect(data.batchPredictions).toMatchObject({ totalCount: 2, nodes: [{ run: { id: runOfOneCell } }] });
    const { id } = data.batchPredictions.nodes[0];
    const node = await made.server.query(`query ($id: ID!) { node(id: $id) { __typename id } }`, { id });
    expect(node.data.node).toEqual({ __typename: "BatchPrediction", id });
  });
});

describe("a batch prediction fails where", () => {
  const failed = async (content: string): Promise<Record<string, unknown>> => {
    await made.server.put("bad.csv", content);
    const id = await begun({ file: "bad.csv" });
    await worker.workOff();
    const { state, error, bytes } = await batch(id);
    expect({ state, bytes }).toEqual({ state: "FAILED", bytes: null });
    return error;
  };

  it.each([
    ["a number is none", "1,u1,old,i1", "age", 'a finite number or an empty cell, got "old"', '"old"'],
    ["a scenario is unknown", "7,u1,20,i1", "tab", '"0" or "1", got "7"', '"7"'],
    ["a scenario is missing", ",u1,20,i1", "tab", '"0" or "1", got an empty cell', "an empty cell"],
  ])("%s, with line, column and value", async (_, line, column, expected, value) => {
    const error = await failed(`tab,user,age,item\n0,u1,20,i1\n${line}\n0,u1,20,i1\n`);
    const message = `bad.csv, line 3, column "${column}": expected ${expected}`;
    expect(error).toEqual({ code: "INVALID_INPUT", message, column, line: 3, value });
  });

  it("the form of the file is wrong somewhere, before anything is predicted", async () => {
    const error = await failed(`tab,user,age,item\n0,u1,20,i1\n0,u1,20\n`);
    expect(error).toMatchObject({
      column: "item",
      line: 3,
      message: expect.stringContaining("expected 4 cells, got 3"),
    });
  });

  it("the file has no rows", async () => {
    expect(await failed("tab,user,age,item\n")).toMatchObject({ message: "bad.csv: expected rows, got none" });
  });

  it("the file has changed since it was asked for", async () => {
    await made.server.put("bad.csv", csv(5));
    const id = await begun({ file: "bad.csv" });
    await made.server.put("bad.csv", csv(6));
    await worker.workOff();
    const message = "file: expected the bytes that were there when it was asked for, got others: bad.csv has changed";
    expect((await batch(id)).error).toMatchObject({ code: "INVALID_INPUT", message, line: null });
  });
});

describe("predictBatch is refused for", () => {
  it.each([
    ["a file that is not there", { file: "none.csv" }, "INVALID_INPUT", "input.file"],
    ["a file outside of the data folder", { file: "../database/autoifs.db" }, "INVALID_INPUT", "input.file"],
    ["a file of another kind", { file: "few.jsonl" }, "INVALID_INPUT", "input.file"],
    ["a file without the columns", { file: "made.csv" }, "INVALID_INPUT", "input.file"],
    ["a run that is not there", { file: "few.csv", run: "run_none" }, "NOT_FOUND", "input.run"],
  ])("%s", async (_, input, code, field) => {
    const count = async () => (await made.server.query("{ batchPredictions { totalCount } }")).data;
    const before = await count();
    const refused = await made.server.refused(predictBatch, { input: { run, ...input } });
    expect(refused).toMatchObject({ code, field });
    expect(await count()).toEqual(before);
  });

  it("columns that are missing, which are named", async () => {
    const { message } = await made.server.refused(predictBatch, { input: { run, file: "made.csv" } });
    const expected = "a file with the columns of the dataset's fields and scenario";
    expect(message).toBe(`input.file: expected ${expected}, got one without "item", "age"`);
  });
});
