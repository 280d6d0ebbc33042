import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Connection from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogger } from "../../src/observe/logger.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { whenAnswered } from "../../src/server/answered.ts";
import type { Answered } from "../../src/server/answered.ts";
import { recordedLog } from "../jobs/recordedLog.ts";
import { eventually, startTestServer } from "./testServer.ts";
import type { LogEvent, TestServer } from "./testServer.ts";

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-logs-"));
  server = await startTestServer({ folder, settings: { AUTOIFS_LOG_LEVEL: "debug" } });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The line about a request, which may come a moment after its answer. */
const lineOf = (requestId: string): Promise<LogEvent> =>
  eventually(async () => server.events.find((event) => event["requestId"] === requestId && "status" in event));

const register = `mutation Register($input: RegisterScenarioInput!) { registerScenario(input: $input) { scenario { id } } }`;
const scenarios = `query Scenarios { scenarios(first: 5) { nodes { key } } tasks(first: 5) { nodes { key } } }`;

describe("the log", () => {
  it("tells of a request that changes something in one line, with the request's id", async () => {
    const input = { key: "home_feed", name: "hunter2" };
    await server.query(register, { input }, { "x-request-id": "req-1", authorization: "Bearer hunter3" });
    expect(await lineOf("req-1")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      process: "server",
      pid: process.pid,
      message: "POST /graphql 200",
      requestId: "req-1",
      method: "POST",
      path: "/graphql",
      status: 200,
      durationMs: expect.any(Number),
      operation: { name: "Register", type: "mutation", cost: expect.any(Number) },
      actor: "",
      sqlStatements: expect.any(Number),
    });
  });

  it("holds no variables and no secrets", async () => {
    await lineOf("req-1");
    expect(JSON.stringify(server.events)).not.toMatch(/hunter/);
  });

  it("tells of a quick request that changes nothing at level debug", async () => {
    await server.query(scenarios, {}, { "x-request-id": "req-2" });
    expect(await lineOf("req-2")).toMatchObject({ level: "debug", operation: { name: "Scenarios", type: "query" } });
  });

  it("tells by what code a request was refused", async () => {
    await server.query(`{ nothing }`, {}, { "x-request-id": "req-3" });
    expect(await lineOf("req-3")).toMatchObject({ status: 400, errorCodes: ["GRAPHQL_VALIDATION_FAILED"] });
  });

  it("counts the statements of each request apart, though many are answered at once", async () => {
    await server.query(scenarios, {}, { "x-request-id": "alone" });
    const { sqlStatements } = await lineOf("alone");
    expect(sqlStatements).toBeGreaterThan(1);
    const many = Array.from({ length: 8 }, (_, i) => ({ "x-request-id": `at-once-${i}` }));
    await Promise.all(many.map((headers, i) => server.query(i % 2 ? scenarios : `{ __typename }`, {}, headers)));
    const lines = await Promise.all(many.map((headers) => lineOf(headers["x-request-id"])));
    expect(lines.map((line) => line["sqlStatements"])).toEqual(many.map((_, i) => (i % 2 ? sqlStatements : 0)));
  });

  it("tells of a fault with its stack, under the id that the answer gives, and the request's", async () => {
    const database = new Connection(join(folder, "database", "autoifs.db"));
    database.exec(`ALTER TABLE "Task" RENAME TO "Away"`);
    try {
      const answer = await server.query(scenarios, {}, { "x-request-id": "req-4" });
      const { errorId } = answer.errors![0]!.extensions;
      expect(server.events.find((event) => event["errorId"] === errorId)).toMatchObject({
        level: "error",
        requestId: "req-4",
        message: expect.stringContaining(`fault ${String(errorId)}: `),
        error: { stack: expect.stringMatching(/\n {4}at /) },
      });
    } finally {
      database.exec(`ALTER TABLE "Away" RENAME TO "Task"`);
      database.close();
    }
  });

  it("tells of a slow request at level info", () => {
    const answered: Answered = {
      requestId: "req-5",
      method: "POST",
      path: "/graphql",
      status: 200,
      durationMs: 1000.1,
      actor: "",
      operation: { name: null, type: "query", cost: 1 },
      errorCodes: [],
      sqlStatements: 1,
    };
    const log = { ...recordedLog(), debug: () => expect.fail("expected it at level info") };
    whenAnswered({ log, metrics: createMetrics("1.2.3") })(answered);
    expect(log.messages).toEqual(["POST /graphql 200"]);
  });
});

describe("the log for people", () => {
  const lines = (level: "info" | "debug"): { log: ReturnType<typeof createLogger>; written: string[] } => {
    const written: string[] = [];
    const write = (line: string): void => void written.push(line);
    return { log: createLogger({ format: "text", level, fields: { pid: 1 }, write }), written };
  };

  it("is a line of text, with the stack of an error below it", () => {
    const { log, written } = lines("info");
    log.warn("worker 17 ended", { signal: "SIGKILL" });
    log.error("fault", { error: new Error("full") });
    expect(written[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}worker 17 ended pid=1 signal=SIGKILL\n$/);
    expect(written[1]).toMatch(/^\S+ error fault pid=1\nError: full\n {4}at /);
  });

  it("leaves out what is below its level, and what is named like a secret", () => {
    const { log, written } = lines("info");
    log.debug("asked");
    log.info("asked", { token: "hunter2", request: { authorization: "hunter2", path: "/" } });
    expect(written).toEqual([expect.stringContaining('info  asked pid=1 request={"path":"/"}\n')]);
  });
});
