/**
 * Fills a database with many runs as a busy team would have them after a year: straight into the tables, because through
 * the API it would take hours. For the benchmark of the list of runs and the test that counts its statements.
 */
import Connection from "libsql";
import { createRandom } from "../src/random.ts";
import { parametersOf } from "../src/store/runParameters.ts";
import { defaultHyperParameters } from "../src/training/hyperParameters.ts";

export interface FillOptions {
  /** Of a store that has been opened once, so that its tables are there. */
  readonly databaseFile: string;
  readonly runs: number;
  /** Metric points per run: 60 of the finished model (6 cells × 5 metrics × 2 splits), then epoch by epoch. */
  readonly points: number;
  readonly seed: number;
}

type Add = (table: string, row: Readonly<Record<string, unknown>>) => void;

const scenarios = ["home", "search", "channel"];
const tasks = ["click", "like"];
const metrics = ["auc", "logloss", "calibration", "ece", "normalisedEntropy"];
const flows = ["SHARED_SHARED", "SCENARIO_TASK", "SHARED_TASK", "SCENARIO_SHARED"];
const kinds = ["SEARCH", "PRUNE", "PRUNE", "TRAIN"] as const;
const backbones = ["shared-bottom", "mmoe", "ple"];
const cells = scenarios.flatMap((scenarioKey) => tasks.map((taskKey) => ({ scenarioKey, taskKey })));
const datasets = 5;

/** Every fourth run is a SEARCH, the two after it are its PRUNEs, then a TRAIN; one in ten was CANCELLED. */
export function fillRuns({ databaseFile, runs, points, seed }: FillOptions): void {
  const database = new Connection(databaseFile);
  const statements = new Map<string, Connection.Statement>();
  /** All rows of a table have the same columns in the same order. */
  const add: Add = (table, row) => {
    const columns = Object.keys(row);
    const places = columns.map(() => "?").join(", ");
    const statement =
      statements.get(table) ?? database.prepare(`INSERT INTO "${table}" (${columns.join(", ")}) VALUES (${places})`);
    statements.set(table, statement);
    statement.run(Object.values(row));
  };
  database.exec("BEGIN");
  addKeys(add);
  addDatasets(add);
  addRuns(add, runs, points, seed);
  database.exec("COMMIT");
  database.close();
}

/** The id of the dataset with this number, from 0 to 4. */
export function datasetId(i: number): string {
  return idOf("ds", i);
}

function addKeys(add: Add): void {
  const row = (prefix: string, key: string, i: number) => {
    return { id: idOf(prefix, i), key, name: key, description: "", createdAt: timeOf(i) };
  };
  for (const [i, key] of scenarios.entries()) add("Scenario", row("scn", key, i));
  for (const [i, key] of tasks.entries()) add("Task", row("tsk", key, i));
}

function addDatasets(add: Add): void {
  const spec = JSON.stringify({
    fields: [],
    scenario: { column: "scenario", values: scenarios.map((scenario) => ({ value: scenario, scenario })) },
    labels: tasks.map((task) => ({ column: task, task })),
    split: { kind: "RANDOM", seed: 1, validationShare: 0.1, testShare: 0.1 },
  });
  for (let i = 0; i < datasets; i++) {
    const [id, createdAt] = [datasetId(i), timeOf(i)];
    const told = { name: "clicks", version: i + 1, sourceFile: "clicks.csv", spec, status: "READY", rows: 60_000 };
    add("Dataset", { id, ...told, createdAt, readyAt: createdAt });
    for (const split of ["train", "validation", "test"])
      for (const cell of cells) add("DatasetCount", { datasetId: id, split, ...cell, rows: 10_000, positives: 2_000 });
  }
}

function addRuns(add: Add, runs: number, points: number, seed: number): void {
  const random = createRandom(seed, "runs bench");
  const backboneConfig = { layers: [256, 128], batchNorm: false, dropout: 0 };
  const hyperParameters = defaultHyperParameters("RECOMMENDED");
  const same = {
    backboneConfig: JSON.stringify(backboneConfig),
    hyperParameters: JSON.stringify(hyperParameters),
    preset: "RECOMMENDED",
    engine: "compiled",
    attempt: 1,
    timings: JSON.stringify({ total: 60_000, compile: 500, train: 55_000, evaluate: 4_500 }),
  };
  const autoIfs = { kind: "AUTOIFS", scenarioLayers: [256], taskLayers: [], rank: 2, gateLayers: [64] };
  const towers = { kind: "TOWERS", layers: [64] };
  for (let i = 0; i < runs; i++) {
    const [runId, kind, place] = [idOf("run", i), kinds[i % kinds.length]!, i % kinds.length];
    add("ModelRun", {
      ...same,
      id: runId,
      kind,
      datasetId: datasetId(Math.floor(i / kinds.length) % datasets),
      parentRunId: kind === "PRUNE" ? idOf("run", i - place) : null,
      backboneName: backbones[i % backbones.length],
      head: JSON.stringify(kind === "TRAIN" ? towers : autoIfs),
      seed: i,
      state: random.uniform() < 0.1 ? "CANCELLED" : "SUCCEEDED",
      createdAt: timeOf(i),
      startedAt: timeOf(i),
      finishedAt: timeOf(i + 1),
    });
    const sums = new Map<string, { split: string; name: string; values: number[] }>();
    for (const point of placesOfPoints(points)) {
      const value = random.uniform();
      add("MetricPoint", { runId, ...point, value, low: value * 0.9, high: value * 1.1 });
      if (point.epoch !== null) continue;
      const key = `${point.split} ${point.name}`;
      const sum = sums.get(key) ?? { split: point.split, name: point.name, values: [] };
      sum.values.push(value);
      sums.set(key, sum);
    }
    for (const { split, name, values } of sums.values()) {
      add("RunSummary", { runId, split, name, value: values.reduce((sum, value) => sum + value, 0) / values.length });
    }
    for (const parameter of parametersOf({
      backboneConfig,
      hyperParameters,
      head: kind === "TRAIN" ? towers : autoIfs,
    })) {
      add("RunParameter", { runId, ...parameter });
    }
    if (kind === "TRAIN") continue;
    for (const cell of cells)
      for (const flow of flows)
        add("FlowStatistic", { runId, ...cell, flow, shareRemoved: random.uniform(), meanGate: random.uniform() });
  }
}

interface Place {
  readonly epoch: number | null;
  readonly split: string;
  readonly name: string;
}

function placesOfPoints(points: number): Place[] {
  const places: Place[] = [];
  const measure = (epoch: number | null, split: string, names: readonly string[]): void => {
    for (const cell of cells) for (const name of names) places.push({ epoch, split, ...cell, name });
  };
  measure(null, "validation", metrics);
  measure(null, "test", metrics);
  for (let epoch = 1; places.length < points; epoch++) measure(epoch, "validation", metrics.slice(0, 2));
  return places.slice(0, points);
}

function idOf(prefix: string, i: number): string {
  return `${prefix}_${(i + 1).toString(16).padStart(32, "0")}`;
}

function timeOf(i: number): string {
  // As Prisma writes it: times are compared as texts.
  return new Date(Date.parse("2026-01-01T00:00:00Z") + i * 60_000).toISOString().replace("Z", "+00:00");
}
