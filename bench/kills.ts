/**
 * `npm run bench -- kills`: kills the worker, the server or both with -9 at random moments while small models are trained
 * and other mutations go on; then everything that was acknowledged must be there, and every run must have ended bitwise
 * like a twin that was trained undisturbed before.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { graphqlClient, type Query } from "../examples/demo/client.ts";
import { createRandom, type Random } from "../src/random.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { type KillableServer, startKillableServer } from "./killableServer.ts";
import type { Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";
import { registeredDataset } from "./registeredDataset.ts";

export const summary = "kills -9 at random moments of small trainings (--kills 100, --seed 1, --rows 3000)";

/** Runs that are open at a time. */
const openRuns = 3;
/** A run that is RUNNING though its lease ran out longer ago than this has no owner. */
const orphanedAfter = 60_000;

const backbone = { plugin: "shared-bottom", config: { layers: [32], batchNorm: true, dropout: 0.1 } };
const head = { kind: "AUTOIFS", scenarioLayers: [16], gateLayers: [16], batchNorm: true, dropout: 0.1 };
const numbers = { batchSize: 256, maxEpochs: 15, patience: 15 };
const search = { backbone, head, hyperParameters: { ...numbers, search: { epochs: 15 } } };
const towers = { backbone, head: { kind: "TOWERS" }, hyperParameters: numbers };

const outcome = `query ($id: ID!) {
  run(id: $id) {
    state kind checkpointHash error { message } stopReason
    history { epoch matrices { split cells { scenario { key } task { key } metrics { name value low high reason } } } }
    matrix { cells { scenario { key } task { key } metrics { name value low high reason } } }
    flows { scenario { key } task { key } flow shareRemoved meanGate }
  }
}`;

interface Outcome {
  readonly state: string;
  readonly kind: string;
  readonly error: { readonly message: string } | null;
}

export async function run(options: Options): Promise<Record<string, unknown>> {
  const kills = options.number("kills", 100);
  const seed = options.number("seed", 1);
  const rows = options.number("rows", 3000);
  return inTemporaryFolder(async (folder) => {
    const server = await startKillableServer({
      AUTOIFS_DATA: folder,
      AUTOIFS_WORKERS: "2",
      AUTOIFS_LEASE_SECONDS: "2",
      AUTOIFS_MAX_ATTEMPTS: "1000",
    });
    const store = await openStore({
      databaseFile: join(folder, "database", "autoifs.db"),
      artifactsFolder: join(folder, "artifacts"),
    });
    try {
      const file = join(folder, "files", "synth.csv");
      await writeFile(file, await firstRows(rows));
      const query: Query = (document, variables) => graphqlClient(server.url())(document, variables);
      const dataset = await registeredDataset(query, "synth.csv");
      const twins = await trainTwins(query, dataset);
      console.error(`kills: the twins are trained, ${Object.keys(twins).length} of them`);
      return await disturb({ kills, random: createRandom(seed, "kills"), server, store, query, dataset, twins });
    } finally {
      await store.close();
      await server.close();
    }
  });
}

async function firstRows(rows: number): Promise<string> {
  const file = new URL("../examples/synth/synth.csv.gz", import.meta.url);
  const lines = gunzipSync(await readFile(file))
    .toString("utf8")
    .split("\n");
  return [...lines.slice(0, rows + 1), ""].join("\n");
}

interface Twin {
  readonly begin: (query: Query, dataset: string) => Promise<string>;
  readonly outcome: Outcome;
}

/** By name. The prune of a search is a twin of its own, over the undisturbed search. */
async function trainTwins(query: Query, dataset: string): Promise<Record<string, Twin>> {
  const twins: Record<string, Twin> = {};
  const add = async (name: string, begin: Twin["begin"]): Promise<string> => {
    const id = await begin(query, dataset);
    twins[name] = { begin, outcome: await ended(query, id) };
    return id;
  };
  const searched = await add("search", (q, d) => queued(q, "trainModel", "TrainModelInput", { dataset: d, ...search }));
  await add("towers", (q, d) => queued(q, "trainModel", "TrainModelInput", { dataset: d, ...towers }));
  await add("prune", (q) => queued(q, "pruneModel", "PruneModelInput", { run: searched, retrain: numbers }));
  return twins;
}

async function queued(query: Query, mutation: string, type: string, input: object): Promise<string> {
  const document = `mutation ($input: ${type}!) { payload: ${mutation}(input: $input) { run { id } } }`;
  return (await query<{ payload: { run: { id: string } } }>(document, { input })).payload.run.id;
}

async function ended(query: Query, id: string): Promise<Outcome> {
  for (;;) {
    const answer = await query<{ run: Outcome | null }>(outcome, { id }).catch(() => undefined);
    if (answer?.run === null) throw new Error(`kills: ${id} is lost`);
    // A pause that was asked for in the last moment comes later.
    if (answer?.run?.state === "PAUSED") await act(query, "resumeRun", id).catch(() => undefined);
    else if (answer && !["QUEUED", "RUNNING"].includes(answer.run!.state)) return answer.run!;
    await pause(200);
  }
}

/** Asks for `pauseRun`, `resumeRun` or `cancelRun`. */
async function act(query: Query, verb: string, run: string): Promise<void> {
  const type = `${verb[0]!.toUpperCase()}${verb.slice(1)}Input`;
  await query(`mutation ($input: ${type}!) { ${verb}(input: $input) { run { id } } }`, { input: { run } });
}

interface Disturbance {
  readonly kills: number;
  readonly random: Random;
  readonly server: KillableServer;
  readonly store: Store;
  readonly query: Query;
  readonly dataset: string;
  readonly twins: Readonly<Record<string, Twin>>;
}

/** What the server has acknowledged. */
interface Acknowledged {
  /** Twin's name by id of the run. */
  readonly runs: Map<string, string>;
  readonly cancelled: Set<string>;
  readonly scenarios: string[];
}

async function disturb(disturbance: Disturbance): Promise<Record<string, unknown>> {
  const { kills, random, server, store, query, twins } = disturbance;
  const acknowledged: Acknowledged = { runs: new Map(), cancelled: new Set(), scenarios: [] };
  const orphans = new Set<string>();
  const isOver = new AbortController();
  const others = [keepMutating(disturbance, acknowledged, isOver.signal), watchOrphans(store, orphans, isOver.signal)];

  for (let kill = 1; kill <= kills; kill++) {
    await somethingHappens(store);
    // Mostly soon after, now and then late enough for a run to end.
    await pause(random.uniform() ** 2 * 6000);
    const target = random.bits() % 4;
    if (target < 2) server.killWorkers();
    else await server.killServer({ andWorkers: target === 3 });
    if (kill % 10 === 0) console.error(`kills: ${kill}, ${acknowledged.runs.size} runs begun`);
  }
  isOver.abort();
  await Promise.all(others);

  let lost = 0;
  let different = 0;
  const ends: Record<string, number> = {};
  for (const [id, name] of acknowledged.runs) {
    const end = await ended(query, id).catch(() => undefined);
    if (end === undefined) {
      lost++;
      continue;
    }
    ends[end.state] = (ends[end.state] ?? 0) + 1;
    if (acknowledged.cancelled.has(id)) {
      if (end.state !== "CANCELLED") lost++;
    } else if (JSON.stringify(end) !== JSON.stringify(twins[name]!.outcome)) {
      different++;
      console.error(`kills: ${id} (${name}) is not like its twin: ${end.state} ${end.error?.message ?? ""}`);
    }
  }
  const kept = new Set(await scenarioKeys(query));
  lost += acknowledged.scenarios.filter((key) => !kept.has(key)).length;
  const attempts = (await store.runs.byIds([...acknowledged.runs.keys()])).map(({ attempt }) => attempt);
  return {
    kills,
    lost,
    orphans: orphans.size,
    different,
    runs: acknowledged.runs.size,
    ...ends,
    resumed: attempts.filter((attempt) => attempt > 1).length,
    mostAttempts: Math.max(...attempts),
    otherMutations: acknowledged.scenarios.length + acknowledged.cancelled.size,
  };
}

/** Waits until a run that is open has moved on, so that a kill finds something to kill; not for ever. */
async function somethingHappens(store: Store): Promise<void> {
  const events = async () => {
    const { rows } = await store.runs.list({ first: 20, states: ["RUNNING"] });
    return JSON.stringify(rows.map(({ id, trainingStateHash }) => [id, trainingStateHash]));
  };
  const before = await events();
  for (let i = 0; i < 80 && (await events()) === before; i++) await pause(100);
}

/** Keeps runs open, registers scenarios, and pauses, resumes or cancels a run now and then, as others would. */
async function keepMutating({ random, query, dataset, twins }: Disturbance, told: Acknowledged, over: AbortSignal) {
  const names = Object.keys(twins);
  const open = new Set<string>();
  for (let i = 0; !over.aborted; i++) {
    // What is not acknowledged may be or not; a kill is no fault of the one who asks.
    await (async () => {
      const key = `scenario-${i}`;
      await query(`mutation ($key: String!) { registerScenario(input: { key: $key }) { scenario { id } } }`, { key });
      told.scenarios.push(key);
      for (const id of open) {
        const { run } = await query<{ run: { state: string } }>(`query ($id: ID!) { run(id: $id) { state } }`, { id });
        if (run.state === "PAUSED") await act(query, "resumeRun", id);
        else if (!["QUEUED", "RUNNING"].includes(run.state)) open.delete(id);
        else if (random.uniform() < 0.02) await act(query, "pauseRun", id);
        else if (random.uniform() < 0.0001) {
          await act(query, "cancelRun", id);
          told.cancelled.add(id);
        }
      }
      if (open.size < openRuns) {
        const name = names[told.runs.size % names.length]!;
        const id = await twins[name]!.begin(query, dataset);
        told.runs.set(id, name);
        open.add(id);
      }
    })().catch(() => undefined);
    await pause(200);
  }
}

async function watchOrphans(store: Store, orphans: Set<string>, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const { rows } = await store.runs.list({ first: 100, states: ["RUNNING"] });
    for (const { id, leaseExpiresAt } of rows) {
      if (leaseExpiresAt === null || leaseExpiresAt.getTime() + orphanedAfter < Date.now()) orphans.add(id);
    }
    await pause(500);
  }
}

interface ScenarioPage {
  readonly nodes: readonly { readonly key: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function scenarioKeys(query: Query): Promise<string[]> {
  const keys: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { page }: { page: ScenarioPage } = await query(
      `query ($after: String) {
        page: scenarios(first: 100, after: $after) { nodes { key } pageInfo { hasNextPage endCursor } }
      }`,
      { after },
    );
    keys.push(...page.nodes.map(({ key }) => key));
    if (!page.pageInfo.hasNextPage) return keys;
    after = page.pageInfo.endCursor;
  }
}
