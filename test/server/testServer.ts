/** The real server over a fresh folder, and what a client of it does. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { startServer } from "../../src/server/startServer.ts";
import { runWorker } from "../../src/worker/runWorker.ts";

export interface Answer {
  // A test compares it or takes apart what it asked for.
  // oxlint-disable-next-line no-explicit-any
  readonly data?: any;
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

export interface TestServer {
  readonly url: string;
  /** The data folder. */
  readonly files: string;
  /** The events of the log as they were written. */
  readonly events: readonly LogEvent[];
  /** Messages of warnings and errors. */
  readonly log: readonly string[];
  query(document: string, variables?: Readonly<Record<string, unknown>>, headers?: Headers): Promise<Answer>;
  /** The first error of an operation that must fail: its message with its extensions. */
  refused(document: string, variables?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  /** Puts a file into the data folder. */
  put(name: string, content: string): Promise<void>;
  close(): Promise<void>;
}

type Headers = Readonly<Record<string, string>>;

export interface LogEvent extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly message: string;
}

export interface TestServerOptions {
  /** Further settings, as the environment would give them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether a worker works in this process, which costs less than a process of its own. Default: no, what is queued stays queued. */
  readonly works?: boolean;
  /** Worker processes, for tests of just them; default 0. */
  readonly workers?: number;
  /** Of a worker that is killed; default 600, so that no look at the leases is counted among a request's statements. */
  readonly leaseSeconds?: number;
  /** In bytes. */
  readonly uploadLimit?: number;
  /** Default: a fresh one, which is gone after `close`. */
  readonly folder?: string;
}

export async function startTestServer({
  works = false,
  workers = 0,
  leaseSeconds = 600,
  uploadLimit = 1_000_000,
  folder: given,
  settings = {},
}: TestServerOptions = {}): Promise<TestServer> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), "autoifs-server-")));
  const config = loadConfig({
    AUTOIFS_DATA: folder,
    AUTOIFS_PORT: "0",
    AUTOIFS_WORKERS: String(workers),
    AUTOIFS_LEASE_SECONDS: String(leaseSeconds),
    AUTOIFS_MAX_ATTEMPTS: "100",
    AUTOIFS_UPLOAD_LIMIT: String(uploadLimit),
    // Those that its processes and threads can run as well.
    AUTOIFS_PLUGINS: join(inject("build"), "plugins"),
    // Those of this project need no trial; the tests of trials have plugins of their own.
    AUTOIFS_PLUGIN_TRIAL_SECONDS: "0",
    ...settings,
  });
  const events: LogEvent[] = [];
  const log: string[] = [];
  const server = await startServer(config, (line) => {
    const event = JSON.parse(line) as LogEvent;
    events.push(event);
    if (event.level === "warn" || event.level === "error") log.push(event.message);
  });
  const stop = new AbortController();
  const worker = works ? runWorker(config, stop.signal) : undefined;

  const query = async (
    document: string,
    variables: Readonly<Record<string, unknown>> = {},
    headers: Headers = {},
  ): Promise<Answer> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query: document, variables }),
    });
    // What a request has cost stands beside every answer.
    const { extensions: _, ...answer } = (await response.json()) as Answer & { extensions?: unknown };
    return answer;
  };
  return {
    url: server.url,
    files: config.filesFolder,
    events,
    log,
    query,
    async refused(document, variables) {
      const { errors } = await query(document, variables);
      if (!errors?.[0]) throw new Error(`expected a refusal of ${document}`);
      return { message: errors[0].message, ...errors[0].extensions };
    },
    put: (name, content) => writeFile(join(config.filesFolder, name), content),
    async close() {
      stop.abort();
      await worker;
      await server.close();
      if (given === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Asks again until the answer is there; fails after a minute. */
export async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error("eventually: a minute has passed without an answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
