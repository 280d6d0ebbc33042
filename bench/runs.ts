/**
 * `npm run bench -- runs`: how long a page of 50 runs with their metrics takes over HTTP, in a database with a million
 * metric points; and how many SQL statements it costs.
 */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { loadavg } from "node:os";
import { loadConfig } from "../src/config.ts";
import { createRandom } from "../src/random.ts";
import { startServer } from "../src/server/startServer.ts";
import { openStore } from "../src/store/store.ts";
import { datasetId, fillRuns } from "./fillRuns.ts";
import { percentile, type Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";
import { hearStatements } from "./statements.ts";

export const summary = "a page of 50 runs with metrics (--runs 10000, --points 100 per run, --requests 200, --seed 1)";

const pageOf = (fields: string): string => `query ($after: String, $filter: RunFilter) {
  runs(first: 50, after: $after, filter: $filter) {
    nodes { id kind state seed createdAt finishedAt backbone { name } ${fields} }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** Five metrics of each run. */
const summaries = pageOf(`metrics(names: [AUC, LOGLOSS, CALIBRATION, ECE, NORMALISED_ENTROPY]) {
  name mean lowest highest cells
}`);

/** Five metrics of each cell of each run, with intervals. */
const matrices = pageOf(`matrix {
  meanAuc meanLogloss
  cells { scenario { key } task { key } rows positives metrics { name value low high reason } }
}`);

interface Page {
  readonly nodes: readonly unknown[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export async function run(options: Options): Promise<Record<string, unknown>> {
  const runs = options.number("runs", 10_000);
  const points = options.number("points", 100);
  const requests = options.number("requests", 200);
  const seed = options.number("seed", 1);
  return inTemporaryFolder(async (folder) => {
    // The longest lease, so that no look at the leases is counted among a request's statements.
    const settings = { AUTOIFS_PORT: "0", AUTOIFS_WORKERS: "0", AUTOIFS_LEASE_SECONDS: "600" };
    const config = loadConfig({ AUTOIFS_DATA: folder, ...settings });
    await (await openStore(config)).close();
    const begun = performance.now();
    fillRuns({ databaseFile: config.databaseFile, runs, points, seed });
    const fillSeconds = Math.round((performance.now() - begun) / 1000);
    const server = await startServer(config);
    const client = countingClient(`${server.url}/graphql`);
    try {
      const cursors = await allCursors(client);
      const random = createRandom(seed, "pages");
      const one = <T>(of: readonly T[]): T => of[Math.floor(random.uniform() * of.length)]!;
      const filters = [
        {},
        { state: "SUCCEEDED" },
        { kind: "PRUNE" },
        { backbone: "mmoe" },
        { dataset: datasetId(2), state: "SUCCEEDED" },
      ];
      const measure = async (query: string) => {
        const answers: Answer[] = [];
        for (let i = 0; i < requests; i++) {
          const after = random.uniform() < 0.2 ? null : one(cursors);
          answers.push(await client.ask(query, { after, filter: one(filters) }));
        }
        // The first ones find the code cold.
        const times = answers.slice(Math.min(20, requests / 2)).map(({ ms }) => ms);
        const statements = [...new Set(answers.map((answer) => answer.statements))];
        return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), statements };
      };
      const page = await measure(summaries);
      const matrix = await measure(matrices);
      return {
        runs,
        metricPoints: runs * points,
        fillSeconds,
        p50Ms: page.p50,
        p95Ms: page.p95,
        sqlStatements: Math.max(...page.statements),
        matrixP50Ms: matrix.p50,
        matrixP95Ms: matrix.p95,
        matrixSqlStatements: Math.max(...matrix.statements),
        isConstant: page.statements.length === 1 && matrix.statements.length === 1,
        loadAverage: Math.round(loadavg()[0]! * 10) / 10,
      };
    } finally {
      client.close();
      await server.close();
    }
  });
}

interface Answer {
  readonly ms: number;
  readonly statements: number;
  readonly page: Page;
}

/** Asks one thing after the other over one connection. The server is in this process, so its statements can be counted. */
function countingClient(url: string) {
  const agent = new Agent({ keepAlive: true });
  let statements = 0;
  const stop = hearStatements(() => statements++);
  return {
    async ask(query: string, variables: object): Promise<Answer> {
      const before = statements;
      const body = JSON.stringify({ query, variables });
      const begun = performance.now();
      const sent = request(url, { method: "POST", agent, headers: { "content-type": "application/json" } }).end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const answer = await text(response);
      const ms = performance.now() - begun;
      const { data, errors } = JSON.parse(answer) as { data: { runs: Page }; errors?: { message: string }[] };
      if (errors) throw new Error(`runs: ${errors[0]!.message}`);
      return { ms, statements: statements - before, page: data.runs };
    },
    close(): void {
      stop();
      agent.destroy();
    },
  };
}

/** Cursors throughout the list. */
async function allCursors(client: ReturnType<typeof countingClient>): Promise<string[]> {
  const cursors: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { pageInfo }: Page = (await client.ask(pageOf(""), { after, filter: {} })).page;
    if (!pageInfo.hasNextPage || pageInfo.endCursor === null) return cursors;
    cursors.push(pageInfo.endCursor);
    after = pageInfo.endCursor;
  }
}
