/**
 * `npm run bench -- fuzz`: sends many generated requests, one after the other, to a server in a process of its own, and counts
 * what must not be: a crash, an answer 5xx, an internal error that shows, a refused mutation that has changed a row.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { request as open } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildSchema } from "graphql";
import Connection from "libsql";
import { typeDefs } from "../src/graphql/schema.ts";
import { createFuzzSource } from "./fuzzRequests.ts";
import type { FuzzRequest } from "./fuzzRequests.ts";
import type { Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";

export const summary = "random and hostile requests (--requests 20000, --seed 1)";

export interface FuzzResult {
  readonly requests: number;
  /** Times the server was gone, or gave no answer to a whole request. */
  crashes: number;
  /** Answers 5xx. */
  serverErrors: number;
  /** Answers that show our inside. */
  unmasked: number;
  /** Faults of ours that were masked: none of these should be either. */
  masked: number;
  /** Refused mutations after which a row had changed. */
  changedByRefused: number;
  /** Of all mutations. */
  mutations: number;
  refused: number;
  /** What came of the first few faults. */
  readonly faults: string[];
}

/** What an answer never holds: stack traces, files of ours, words of the database's. */
const inside = /\bat [\w.<>]+ \(|node_modules|\/src\/|SQLITE_|PrismaClient|INTERNAL_SERVER_ERROR|ECONN|ENOENT/;
const mostFaults = 10;

export async function run(options: Options): Promise<Record<string, unknown>> {
  const requests = options.number("requests", 20_000);
  const seed = options.number("seed", 1);
  return inTemporaryFolder(async (folder) => {
    await mkdir(join(folder, "files"), { recursive: true });
    await writeFile(join(folder, "files", "small.csv"), "tab,user,click\n0,a,1\n1,b,0\n0,c,0\n");
    const settings = { AUTOIFS_DATA: folder, AUTOIFS_PORT: "0", AUTOIFS_WORKERS: "0", AUTOIFS_LEASE_SECONDS: "600" };
    const server = spawn(process.execPath, ["--import", "tsx", "--conditions", "autoifs-source", "src/server.ts"], {
      env: { ...process.env, ...settings },
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const url = await urlOf(server);
      const result = await fuzz({ url, databaseFile: join(folder, "database", "autoifs.db"), requests, seed });
      if (server.exitCode !== null) result.crashes++;
      return { ...result };
    } finally {
      server.kill("SIGKILL");
    }
  });
}

export interface FuzzOptions {
  readonly url: string;
  readonly databaseFile: string;
  readonly requests: number;
  readonly seed: number;
}

export async function fuzz({ url, databaseFile, requests, seed }: FuzzOptions): Promise<FuzzResult> {
  const source = createFuzzSource(buildSchema(typeDefs()), seed, [
    "home",
    "click",
    "small.csv",
    "tab",
    "user",
    "0",
    "mmoe",
  ]);
  const changes = countChanges(databaseFile);
  const counts = { crashes: 0, serverErrors: 0, unmasked: 0, masked: 0, changedByRefused: 0, mutations: 0, refused: 0 };
  const result: FuzzResult = { requests, ...counts, faults: [] };
  const fault = (what: keyof typeof counts, request: FuzzRequest, answer: string): void => {
    result[what]++;
    if (result.faults.length >= mostFaults) return;
    result.faults.push(`${what}: ${request.kind} ${String(request.body).slice(0, 1000)} → ${answer.slice(0, 500)}`);
  };

  for (let i = 0; i < requests; i++) {
    const request = source.next();
    const before = changes.count();
    const answer = await send(url, request);
    if (answer === null) {
      if (!request.cutOff) fault("crashes", request, "no answer");
      continue;
    }
    const { status, text } = answer;
    if (status >= 500) fault("serverErrors", request, `${status} ${text}`);
    if (inside.test(withoutEcho(text, request))) fault("unmasked", request, text);
    if (/"code":"INTERNAL"/.test(text)) fault("masked", request, text);
    if (request.mutates) {
      result.mutations++;
      if (isRefusal(status, text)) {
        result.refused++;
        if (changes.count() !== before) fault("changedByRefused", request, text);
      }
    }
    source.learn([...text.matchAll(/"([a-z]{2,3}_[0-9a-f]{32})"/g)].slice(0, 5).map(([, id]) => id!));
  }
  changes.close();
  return result;
}

/** Counts every row that is written from now on, the audit log's aside, in the database itself. */
function countChanges(databaseFile: string): { count(): number; close(): void } {
  const database = new Connection(databaseFile, { timeout: 5000 });
  const tables = database
    .prepare(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'`,
    )
    .all() as { name: string }[];
  database.exec(`CREATE TABLE "FuzzChanges" (count INTEGER NOT NULL); INSERT INTO "FuzzChanges" VALUES (0)`);
  for (const { name } of tables.filter((table) => table.name !== "AuditEntry")) {
    for (const event of ["INSERT", "UPDATE", "DELETE"]) {
      database.exec(
        `CREATE TRIGGER "Fuzz${name}${event}" AFTER ${event} ON "${name}" BEGIN UPDATE "FuzzChanges" SET count = count + 1; END`,
      );
    }
  }
  const statement = database.prepare(`SELECT count FROM "FuzzChanges"`);
  return { count: () => (statement.get() as { count: number }).count, close: () => database.close() };
}

/** True where no field of the mutation was done. */
function isRefusal(status: number, text: string): boolean {
  if (status >= 400) return true;
  const { data, errors } = JSON.parse(text) as {
    data?: Record<string, { userErrors?: unknown[] } | null> | null;
    errors?: unknown;
  };
  if (!data) return errors !== undefined;
  return Object.values(data).every((payload) => payload === null || (payload.userErrors?.length ?? 0) > 0);
}

/** Without the strings the client has sent itself, which messages quote. */
function withoutEcho(text: string, { body }: FuzzRequest): string {
  return inside.test(String(body)) ? "" : text;
}

/** Null where there was no answer. */
function send(
  url: string,
  { method, path, headers, body, cutOff }: FuzzRequest,
): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve) => {
    const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
    // A connection of its own, so that no answer is lost to one that has just been ended for idleness.
    const sent = open(url + path, { method, headers: { ...length, ...headers }, agent: false });
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("close", () =>
        resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    sent.on("error", () => resolve(null));
    sent.setTimeout(30_000, () => sent.destroy());
    if (cutOff) sent.write(body, () => setTimeout(() => sent.destroy(), 5));
    else sent.end(body ?? undefined);
  });
}

async function urlOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface(server.stdout!)) {
    const url = /^autoifs is ready at (\S+)\/graphql$/.exec(line)?.[1];
    if (url) return url;
  }
  await once(server, "exit");
  throw new Error("fuzz: the server ended before it was ready");
}
