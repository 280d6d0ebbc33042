/**
 * `npm run bench -- predict-http`: single rows to a model at the paper's size over HTTP, through the Open Inference Protocol and
 * through GraphQL, in turn; the load generator has the same cores. Then an alias is moved under load, at first to versions that
 * have to be loaded. Rates are medians over rounds; the server's own processor time per request does not mind who else is busy.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import autocannon from "autocannon";
import { median, type Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";
import { makeServedModels, servedFile } from "./servedModels.ts";
import { datasetSpec } from "./synth.ts";

export const summary =
  "requests a second for single rows over HTTP, and while a version is swapped (--rounds 5, --seconds 5)";

const connections = 16;
const versions = 6;
const swapEveryMs = 200;
/** Different rows that are sent in turn. */
const differentRows = 64;

const predict = `query ($model: String!, $rows: [PredictRowInput!]!) {
  predict(model: $model, rows: $rows) { rows { tasks { taskKey probability } } }
}`;

interface Load {
  readonly path: string;
  readonly bodies: readonly string[];
}

interface Measured {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Processor time of the server, all its threads. */
  readonly cpuUs: number;
}

export async function run(options: Options): Promise<Record<string, number>> {
  const rounds = options.number("rounds", 5);
  const seconds = options.number("seconds", 5);
  return inTemporaryFolder(async (folder) => {
    const { model } = await makeServedModels(folder, versions);
    const server = await startServer(folder);
    try {
      const rows = await rowsOfFile();
      const loads = { inference: inferenceLoad(model, rows), graphql: graphqlLoad(model, rows) };
      const measured = { inference: [] as Measured[], graphql: [] as Measured[] };
      // The first round warms up and is not counted.
      for (let round = 0; round <= rounds; round++) {
        for (const name of ["inference", "graphql"] as const) {
          const one = await measure(server.url, loads[name], round === 0 ? 2 : seconds);
          if (round > 0) measured[name].push(one);
        }
      }
      const of = (name: keyof typeof measured, what: keyof Measured): number =>
        Math.round(median(measured[name].map((one) => one[what])) * 10) / 10;
      return {
        inferenceRps: of("inference", "requestsPerSecond"),
        inferenceP99Ms: of("inference", "p99Ms"),
        inferenceCpuUs: of("inference", "cpuUs"),
        graphqlRps: of("graphql", "requestsPerSecond"),
        graphqlP99Ms: of("graphql", "p99Ms"),
        graphqlCpuUs: of("graphql", "cpuUs"),
        ...(await swapped(server.url, model, rows, seconds)),
      };
    } finally {
      server.stop();
    }
  });
}

async function startServer(folder: string) {
  const entry = fileURLToPath(new URL("apiServer.ts", import.meta.url));
  const execArgv = ["--import", "tsx", "--conditions", "autoifs-source"];
  const child = fork(entry, ["product", folder], {
    execArgv,
    env: { ...process.env, NODE_ENV: "production" },
    // A server that has too much to do tells of every slow request.
    stdio: ["ignore", "inherit", "ignore", "ipc"],
  });
  const [url] = (await once(child, "message")) as [string];
  return { url, stop: () => child.kill() };
}

async function measure(url: string, load: Load, seconds: number): Promise<Measured> {
  const before = await cpuSeconds(url);
  const { requests, latency, duration, non2xx, errors } = await fire(url, load, seconds);
  const cpu = (await cpuSeconds(url)) - before;
  if (non2xx > 0 || errors > 0) throw new Error(`bench: ${non2xx + errors} requests to ${load.path} have failed`);
  return { requestsPerSecond: requests.total / duration, p99Ms: latency.p99, cpuUs: (cpu / requests.total) * 1e6 };
}

/** Moves the alias that is asked, from version to version, as long as the load lasts. */
async function swapped(url: string, model: string, rows: readonly Row[], seconds: number) {
  const alias = "swapped";
  const move = (version: number): Promise<void> => moveAlias(url, { model, alias, version });
  await move(1);
  let isOver = false;
  let swaps = 0;
  const load = fire(url, inferenceLoad(`${model}@${alias}`, rows), seconds).finally(() => (isOver = true));
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, swapEveryMs));
    await move((++swaps % versions) + 1);
  }
  const { requests, non2xx, errors } = await load;
  return { swaps, swapRequests: requests.total, swapFailures: non2xx + errors };
}

/** A promise of its own: what autocannon gives has `then` alone. */
async function fire(url: string, { path, bodies }: Load, duration: number) {
  return await autocannon({
    url: url + path,
    method: "POST",
    headers: { "content-type": "application/json" },
    requests: bodies.map((body) => ({ body })),
    connections,
    duration,
  });
}

async function moveAlias(url: string, input: object): Promise<void> {
  const query = `mutation ($input: SetModelAliasInput!) { setModelAlias(input: $input) { userErrors { message } } }`;
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const text = await response.text();
  if (!text.includes('"userErrors":[]')) throw new Error(`bench: the alias could not be moved: ${text}`);
}

async function cpuSeconds(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_cpu_seconds_total\S* ([\d.e+-]+)$/m.exec(text)![1]);
}

interface Row {
  readonly scenario: string;
  readonly values: Readonly<Record<string, string>>;
}

async function rowsOfFile(): Promise<Row[]> {
  const [header, ...lines] = gunzipSync(await readFile(servedFile))
    .toString()
    .split("\n", differentRows + 1);
  const names = header!.split(",");
  const { fields, scenario } = datasetSpec;
  return lines.map((line) => {
    const cells = line.split(",");
    const of = (column: string): string => cells[names.indexOf(column)]!;
    return {
      scenario: scenario.values.find(({ value }) => value === of(scenario.column))!.scenario,
      values: Object.fromEntries(fields.map(({ column }) => [column, of(column)])),
    };
  });
}

function inferenceLoad(model: string, rows: readonly Row[]): Load {
  const tensor = (name: string, value: string) => ({ name, datatype: "BYTES", shape: [1], data: [value] });
  const bodies = rows.map(({ scenario, values }) =>
    JSON.stringify({ inputs: Object.entries({ ...values, scenario }).map(([name, value]) => tensor(name, value)) }),
  );
  return { path: `/v2/models/${model}/infer`, bodies };
}

function graphqlLoad(model: string, rows: readonly Row[]): Load {
  const bodies = rows.map((row) => JSON.stringify({ query: predict, variables: { model, rows: [row] } }));
  return { path: "/graphql", bodies };
}
