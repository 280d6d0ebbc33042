/**
 * A server over a store that the test has open as well, a dataset large enough for verdicts, and runs on it whose predictions
 * the test makes up: what comes after a training, without one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Connection from "libsql";
import { readSplit } from "../../src/data/arrowFiles.ts";
import type { Cell } from "../../src/data/onlyCell.ts";
import { rowsOfCell, shapeOfCell } from "../../src/data/onlyCell.ts";
import { createRandom } from "../../src/random.ts";
import { configurationHash } from "../../src/services/run/configurationHash.ts";
import { importDataset } from "../../src/services/dataset/importDataset.ts";
import { cellOf, manifestOf } from "../../src/services/stored.ts";
import { loadConfig } from "../../src/config.ts";
import type { NewRun } from "../../src/store/queueRun.ts";
import type { StopReason } from "../../src/store/rows.ts";
import { openStore } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { cellMetrics } from "../../src/training/evaluate.ts";
import { defaultHyperParameters } from "../../src/training/hyperParameters.ts";
import { claimed } from "../store/testStore.ts";
import { startTestServer } from "./testServer.ts";
import type { TestServer, TestServerOptions } from "./testServer.ts";
import { prepareSmall, registerDataset, smallInput } from "./smallDataset.ts";

export interface MadeServer {
  readonly server: TestServer;
  readonly store: Store;
  /** Registers and imports; answers the dataset's id. */
  imported(changes?: object): Promise<string>;
  /** Makes a run one from before predictions were kept. */
  forgetPredictions(run: string): void;
  close(): Promise<void>;
}

/** No workers: nothing but the test takes a job. */
export async function startMadeServer(settings: TestServerOptions["settings"] = {}): Promise<MadeServer> {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-made-"));
  const server = await startTestServer({ folder, settings });
  const config = loadConfig({ AUTOIFS_DATA: folder });
  const store = await openStore(config);
  await prepareSmall(server);
  await server.put("made.csv", madeCsv());
  return {
    server,
    store,
    async imported(changes = {}) {
      const input = { ...madeInput, ...changes };
      const { data, errors } = await server.query(registerDataset, { input });
      if (errors) throw new Error(errors[0]!.message);
      await importDataset({ ...config, store }, await claimed(store));
      return data.registerDataset.dataset.id;
    },
    forgetPredictions(run) {
      const connection = new Connection(config.databaseFile);
      connection.prepare(`UPDATE ModelRun SET predictionsHash = NULL WHERE id = ?`).run(run);
      connection.close();
    },
    async close() {
      await server.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const madeInput = { ...smallInput, name: "made", file: "made.csv", fields: [{ column: "user" }, { column: "tab" }] };

/** 3,000 test rows, two thirds of them from home; in search nobody likes anything. */
function madeCsv(): string {
  const random = createRandom(1, "made rows");
  const rows = Array.from({ length: 3_200 }, (_, i) => {
    const tab = random.uniform() < 1 / 3 ? 1 : 0;
    const click = random.uniform() < 0.4 ? 1 : 0;
    const like = tab === 0 && random.uniform() < 0.2 ? 1 : 0;
    return [`u${i % 20}`, tab, click, like, i < 100 ? "train" : i < 200 ? "valid" : "test"].join(",");
  });
  return ["user,tab,click,like,part", ...rows, ""].join("\n");
}

export interface MadeRun {
  readonly dataset: string;
  readonly seed: number;
  /** How well it tells the labels apart, from 0. Another one is another configuration. */
  readonly skill: number;
  readonly cell?: Cell;
  /** Replaces members of the record. */
  readonly record?: Partial<NewRun>;
}

/** Writes a run that has SUCCEEDED; answers its id. */
export async function madeRun(store: Store, { dataset, seed, skill, cell, record }: MadeRun): Promise<string> {
  const planned: Omit<NewRun, "configurationHash"> = {
    kind: "TRAIN",
    datasetId: dataset,
    backboneName: "shared-bottom",
    backboneConfig: { layers: [8] },
    head: { kind: "TOWERS", layers: [4] },
    hyperParameters: { ...defaultHyperParameters("RECOMMENDED"), learningRate: 1 / (10 + skill) },
    preset: "RECOMMENDED",
    seed,
    engine: "compiled",
    ...(cell ? { cell } : {}),
    ...record,
  };
  await store.runs.create({ configurationHash: configurationHash(planned), ...planned });
  return finishedRun(store, skill);
}

/** Takes the next run from the queue and makes up its end: SUCCEEDED. Seeds differ a little in their skill. */
export async function finishedRun(
  store: Store,
  skill: number,
  { versions = {}, stopReason = "COMPLETED" }: { versions?: object; stopReason?: StopReason } = {},
): Promise<string> {
  const lease = await claimed(store);
  await store.runs.recordVersions(lease, versions);
  const run = await store.runs.get(lease.subjectId);
  const cell = cellOf(run);
  const { shape, files } = manifestOf(await store.datasets.get(run.datasetId))!;
  const whole = await readSplit(store.artifacts.path(files["test.arrow"].sha256));
  const [rows, own] = cell ? [rowsOfCell(whole, shape, cell), shapeOfCell(shape, cell)] : [whole, shape];
  const random = createRandom(run.seed, JSON.stringify({ skill, cell }));
  // A part of what a model gets wrong lies in the rows and not in the model.
  const rowsRandom = createRandom(1, "rows");
  const shift = skill + 0.03 * random.normal();
  const probabilities = rows.labels.map((label) =>
    logistic(shift * (label - 0.3) + rowsRandom.normal() + 0.3 * random.normal()),
  );
  const points = cellMetrics("test", rows, probabilities, own, "FULL").map(({ scenario, task, ...point }) => {
    return { ...point, scenarioKey: scenario, taskKey: task };
  });
  await store.metrics.record(lease, null, points);
  const { hash: predictionsHash } = await store.artifacts.put(new Uint8Array(probabilities.buffer), "predictions");
  const weights = new TextEncoder().encode(`weights of ${JSON.stringify({ skill, seed: run.seed, cell })}`);
  const { hash: checkpointHash } = await store.artifacts.put(weights, "checkpoint");
  await store.runs.succeed(lease, { checkpointHash, predictionsHash, stopReason, timings: {} });
  return run.id;
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
