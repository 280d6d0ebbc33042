/**
 * `npm run bench -- api`: requests a second and slow answers of this product's server beside bare ones of other makes over the
 * same store and resolvers. In turn, round by round, so that a busy machine hurts all alike; ratios are medians over rounds.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { loadConfig } from "../src/config.ts";
import { openStore } from "../src/store/store.ts";
import type { Make } from "./apiServer.ts";
import { fillRuns } from "./fillRuns.ts";
import { median, type Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";

export const summary =
  "throughput beside yoga, mercurius and Apollo's standalone server (--rounds 5, --seconds 3, --seed 1)";

const connections = 16;

const queries = {
  typename: "{ __typename }",
  list: `{
    runs(first: 20) {
      nodes { id kind state seed createdAt dataset { id name status } parent { id kind state } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
} as const;
type Query = keyof typeof queries;

const others: readonly Make[] = ["standalone", "yoga", "mercurius"];

interface Measured {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p99: number;
}

export async function run(options: Options): Promise<Record<string, unknown>> {
  const rounds = options.number("rounds", 5);
  const seconds = options.number("seconds", 3);
  const seed = options.number("seed", 1);
  return inTemporaryFolder(async (folder) => {
    const { databaseFile, artifactsFolder } = loadConfig({ AUTOIFS_DATA: folder });
    await (await openStore({ databaseFile, artifactsFolder })).close();
    fillRuns({ databaseFile, runs: 1000, points: 60, seed });
    const servers = await startAll(folder);
    try {
      await assertSameAnswers(servers);
      const rows: { query: Query; make: Make; measured: Measured }[] = [];
      // The first round warms up and is not counted.
      for (let round = 0; round <= rounds; round++) {
        for (const query of Object.keys(queries) as Query[]) {
          for (const [make, { url }] of servers) {
            const measured = await measure(url, query, round === 0 ? 2 : seconds);
            if (round > 0) rows.push({ query, make, measured });
          }
        }
      }
      return summarised(rows);
    } finally {
      for (const { child } of servers.values()) child.kill();
    }
  });
}

function summarised(rows: readonly { query: Query; make: Make; measured: Measured }[]): Record<string, unknown> {
  const of = (query: Query, make: Make, what: keyof Measured): number[] =>
    rows.filter((row) => row.query === query && row.make === make).map(({ measured }) => measured[what]);
  const figures: Record<string, unknown> = {};
  for (const query of Object.keys(queries) as Query[]) {
    for (const make of ["product", ...others] as const) {
      figures[`${query}.${make}.requestsPerSecond`] = Math.round(median(of(query, make, "requestsPerSecond")));
      figures[`${query}.${make}.p99Ms`] = median(of(query, make, "p99"));
    }
  }
  const ratio = (query: Query, other: Make): number => {
    const [ours, theirs] = [of(query, "product", "requestsPerSecond"), of(query, other, "requestsPerSecond")];
    return Math.round(median(ours.map((rate, round) => rate / theirs[round]!)) * 100) / 100;
  };
  return {
    ...figures,
    ratioToYogaTypename: ratio("typename", "yoga"),
    ratioToYogaList: ratio("list", "yoga"),
    ratioToMercuriusTypename: ratio("typename", "mercurius"),
    ratioToMercuriusList: ratio("list", "mercurius"),
    ratioToStandaloneTypename: ratio("typename", "standalone"),
    ratioToStandaloneList: ratio("list", "standalone"),
  };
}

async function measure(url: string, query: Query, duration: number): Promise<Measured> {
  const result = await autocannon({
    url: `${url}/graphql`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: queries[query] }),
    connections,
    duration,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`bench: ${url} answered ${result.non2xx} requests with errors`);
  return { requestsPerSecond: result.requests.total / result.duration, p99: result.latency.p99 };
}

type Servers = Map<Make, { readonly url: string; readonly child: ChildProcess }>;

async function startAll(folder: string): Promise<Servers> {
  const servers: Servers = new Map();
  for (const make of ["product", ...others] as const) {
    const entry = fileURLToPath(new URL("apiServer.ts", import.meta.url));
    const execArgv = ["--import", "tsx", "--conditions", "autoifs-source"];
    // As in production: yoga and Apollo tell more, and are slower, without.
    const child = fork(entry, [make, folder], { execArgv, env: { ...process.env, NODE_ENV: "production" } });
    const [url] = (await once(child, "message")) as [string];
    servers.set(make, { url, child });
  }
  return servers;
}

/** A server that answers something else would be faster or slower for no reason. */
async function assertSameAnswers(servers: Servers): Promise<void> {
  for (const query of Object.values(queries)) {
    const answers = new Set<string>();
    for (const { url } of servers.values()) {
      const response = await fetch(`${url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query }),
      });
      answers.add(JSON.stringify(((await response.json()) as { data: unknown }).data));
    }
    if (answers.size !== 1 || answers.has("null"))
      throw new Error(`bench: the servers do not agree: ${[...answers].join(" ")}`);
  }
}
