import { join } from "node:path";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import Connection from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { statementChannel } from "../../src/store/libsqlClient.ts";
import { createRequests } from "../../src/observe/requests.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { prepareSmall, registerDataset, smallInput } from "./smallDataset.ts";
import { eventually, startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-metrics-"));
  server = await startTestServer({ folder, settings: { AUTOIFS_LOG_LEVEL: "debug" } });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The value of each line, by what stands before it. */
async function scraped(): Promise<Readonly<Record<string, number>>> {
  const response = await fetch(`${server.url}/metrics`);
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  return valuesIn(await response.text());
}

function valuesIn(text: string): Readonly<Record<string, number>> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

/** What has come to a value, which may be counted a moment after the answer. */
const reaches = (name: string, value: number): Promise<true> =>
  eventually(async () => ((await scraped())[name] === value ? true : undefined));

const ok = 'autoifs_http_requests_total{route="/graphql",method="POST",status="200"}';

describe("/metrics", () => {
  it("counts requests, operations with their outcome, and the SQL statements of each", async () => {
    await server.query(`{ __typename }`);
    await server.query(`{ scenarios(first: 1) { nodes { id } } }`);
    await server.query(`{ nothing }`);
    await reaches(ok, 2);
    expect(await scraped()).toMatchObject({
      'autoifs_http_requests_total{route="/graphql",method="POST",status="400"}': 1,
      'autoifs_http_request_seconds_count{route="/graphql",method="POST"}': 3,
      'autoifs_graphql_operations_total{type="query",outcome="OK"}': 2,
      'autoifs_request_sql_statements_bucket{le="0",type="query"}': 1,
      'autoifs_request_sql_statements_count{type="query"}': 2,
    });
  });

  it("tells what waits in the queue and how long, and what is stored", async () => {
    await prepareSmall(server);
    expect((await server.query(registerDataset, { input: smallInput })).errors).toBeUndefined();
    const values = await scraped();
    expect(values).toMatchObject({
      'autoifs_queue_jobs{kind="IMPORT_DATASET",state="QUEUED"}': 1,
      autoifs_workers: 0,
      autoifs_worker_restarts_total: 0,
      autoifs_prediction_rows_total: 0,
      autoifs_database_up: 1,
    });
    expect(values["autoifs_queue_oldest_seconds"]).toBeGreaterThan(0);
    expect(values["autoifs_queue_oldest_seconds"]).toBeLessThan(60);
    expect(values["autoifs_database_bytes"]).toBeGreaterThan(100_000);
  });

  it("counts the bytes of uploads", async () => {
    await fetch(`${server.url}/uploads/a.csv`, { method: "PUT", body: "a,b\n" });
    await reaches("autoifs_upload_bytes_total", 4);
  });

  it("counts the statements of one operation at a time, unless every request is logged", async () => {
    const { counted } = createRequests({ all: false });
    const ask = () => counted(() => Promise.resolve(statementChannel.publish({ sql: "SELECT 1" })));
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ sqlStatements }) => sqlStatements)).toEqual([1, null, null]);
  });

  it("tells how the process is", async () => {
    const values = await scraped();
    expect(values["process_resident_memory_bytes"]).toBeGreaterThan(0);
    expect(values).toHaveProperty("nodejs_eventloop_lag_p99_seconds");
  });

  it("has no labels by which a client could make it grow", async () => {
    await Promise.all(Array.from({ length: 5 }, (_, i) => fetch(`${server.url}/secret/${i}`)));
    await reaches('autoifs_http_requests_total{route="",method="GET",status="404"}', 5);
    const metrics = createMetrics("1.2.3");
    for (let i = 0; i < 500; i++) {
      metrics.answered({
        requestId: `${i}`,
        method: `M${i}`,
        path: `/${i}`,
        status: 200,
        durationMs: 1,
        actor: "",
        operation: { name: `O${i}`, type: "query", cost: 1 },
        errorCodes: [`C${i}`],
        sqlStatements: i,
      });
    }
    const values = valuesIn(await metrics.text(null, { models: 0, bytes: 0, waitingRows: 0 }));
    expect(Object.keys(values).filter((name) => name.startsWith("autoifs_http_requests_total")).length).toBe(51);
    expect(values['autoifs_graphql_operations_total{type="query",outcome="OTHER"}']).toBe(450);
  });

  it("says so where the database does not answer, as /ready does", async () => {
    const database = new Connection(join(folder, "database", "autoifs.db"));
    for (const table of ["Scenario", "Job"]) database.exec(`ALTER TABLE "${table}" RENAME TO "Away${table}"`);
    try {
      const values = await scraped();
      expect(values["autoifs_database_up"]).toBe(0);
      expect(Object.keys(values).filter((name) => name.startsWith("autoifs_queue_jobs"))).toEqual([]);
      expect((await fetch(`${server.url}/ready`)).status).toBe(503);
      expect((await fetch(`${server.url}/live`)).status).toBe(200);
    } finally {
      for (const table of ["Scenario", "Job"]) database.exec(`ALTER TABLE "Away${table}" RENAME TO "${table}"`);
      database.close();
    }
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  });
});
