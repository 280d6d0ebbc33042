/**
 * Figures for Prometheus. Each is cheap to keep: a request moves a few numbers, and what stands in the database is read when
 * somebody asks. The values of labels are few by their nature, or cut off.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Figures } from "../store/figures.ts";
import type { Answered } from "./answered.ts";

export interface Metrics {
  answered(answered: Answered): void;
  /** Of one request to predict that was answered. */
  predicted(rows: number, seconds: number): void;
  readonly pool: PoolMetrics;
  uploaded(bytes: number): void;
  workerBegan(): void;
  /** `isExpected`: it was asked to; else it counts as a restart. */
  workerEnded(isExpected: boolean): void;
  readonly contentType: string;
  /** Everything as text. `figures`: what stands in the database now; null where it does not answer. */
  text(figures: Figures | null, pool: PoolFigures): Promise<string>;
}

/** Of the models that are ready to answer. */
export interface PoolMetrics {
  loaded(seconds: number): void;
  evicted(): void;
  /** Of one run of a model, which may be for many requests. */
  ran(rows: number): void;
}

export interface PoolFigures {
  readonly models: number;
  readonly bytes: number;
  readonly waitingRows: number;
}

/** Values of a label beyond this many become `OTHER`. */
const mostValues = 50;

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `autoifs_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `autoifs_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[] = []) =>
    new Histogram({ name: `autoifs_${name}`, help, buckets, labelNames, registers });

  gauge("info", "1; the version is a label.", ["version"]).set({ version }, 1);
  const requests = counter("http_requests_total", "Answered requests.", ["route", "method", "status"]);
  const requestSeconds = histogram("http_request_seconds", "From the request to the end of its answer.", seconds, [
    "route",
    "method",
  ]);
  const operations = counter("graphql_operations_total", "GraphQL operations by their first error code, or OK.", [
    "type",
    "outcome",
  ]);
  const statements = histogram(
    "request_sql_statements",
    "SQL statements of a GraphQL operation; of ten operations a second at most.",
    statementCounts,
    ["type"],
  );
  const predictedRows = counter("prediction_rows_total", "Rows answered by predict.");
  const predictionSeconds = histogram("prediction_seconds", "Of a request to predict.", seconds);
  const loadSeconds = histogram("model_load_seconds", "Until a model was ready to answer.", seconds);
  const evictions = counter("model_evictions_total", "Models that had to make room for others.");
  const runRows = histogram("prediction_run_rows", "Rows of one run of a model, for one request or many.", rowCounts);
  const models = gauge("models_loaded", "Models that are ready to answer, or being loaded.");
  const modelBytes = gauge("model_bytes", "Memory that they hold.");
  const waitingRows = gauge("prediction_waiting_rows", "Rows that wait for a thread.");
  const uploadBytes = counter("upload_bytes_total", "Bytes of files that were uploaded.");
  const workers = gauge("workers", "Worker processes of this server that live.");
  const restarts = counter("worker_restarts_total", "Worker processes that ended without being asked to.");
  const stored = storedGauges(gauge);
  const routes = bounded();
  const methods = bounded();
  const codes = bounded();

  return {
    answered({ method, path, status, durationMs, operation, errorCodes, sqlStatements }) {
      const labels = { route: routes(path), method: methods(method) };
      requests.inc({ ...labels, status: String(status) });
      requestSeconds.observe(labels, durationMs / 1000);
      if (!operation) return;
      const { type } = operation;
      operations.inc({ type, outcome: errorCodes[0] === undefined ? "OK" : codes(errorCodes[0]) });
      if (sqlStatements !== null) statements.observe({ type }, sqlStatements);
    },
    predicted(rows, seconds) {
      predictedRows.inc(rows);
      predictionSeconds.observe(seconds);
    },
    pool: {
      loaded: (took) => loadSeconds.observe(took),
      evicted: () => evictions.inc(),
      ran: (rows) => runRows.observe(rows),
    },
    uploaded: (bytes) => uploadBytes.inc(bytes),
    workerBegan: () => workers.inc(),
    workerEnded(isExpected) {
      workers.dec();
      if (!isExpected) restarts.inc();
    },
    contentType: registry.contentType,
    async text(figures, pool) {
      // They cost something all the time from the first time on, and most servers are never asked.
      if (!registry.getSingleMetric("process_cpu_seconds_total")) collectDefaultMetrics({ register: registry });
      stored(figures);
      models.set(pool.models);
      modelBytes.set(pool.bytes);
      waitingRows.set(pool.waitingRows);
      return registry.metrics();
    },
  };
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const rowCounts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const statementCounts = [0, 1, 2, 4, 8, 16, 32, 64, 128];

type MakeGauge = <L extends string>(name: string, help: string, labelNames?: readonly L[]) => Gauge<L>;

/** Sets what is known from the database; without it nothing is told but that it does not answer. */
function storedGauges(gauge: MakeGauge): (figures: Figures | null) => void {
  const up = gauge("database_up", "1 while the database answers, else 0.");
  const jobs = gauge("queue_jobs", "Jobs that have not ended.", ["kind", "state"]);
  const oldest = gauge("queue_oldest_seconds", "How long the job has waited that waits longest; 0 if none waits.");
  const runs = gauge("runs", "Runs that have not been purged.", ["state"]);
  const batchRows = gauge("batch_prediction_rows", "Rows that batch predictions have done.");
  const deliveries = gauge("webhook_deliveries", "Deliveries of webhooks that are still known.", ["state"]);
  const databaseBytes = gauge("database_bytes", "Size of the database on disk, its log included.");
  const artifacts = gauge("artifacts", "Artifacts.", ["kind"]);
  const artifactBytes = gauge("artifact_bytes", "Their size.", ["kind"]);
  return (figures) => {
    up.set(figures ? 1 : 0);
    // What is none any more must not stay as it was.
    for (const one of [jobs, runs, deliveries, artifacts, artifactBytes]) one.reset();
    if (!figures) return;
    for (const { kind, state, count } of figures.jobs) jobs.set({ kind, state }, count);
    oldest.set(figures.oldestJobSeconds);
    for (const { state, count } of figures.runs) runs.set({ state }, count);
    batchRows.set(figures.batchRows);
    for (const { state, count } of figures.deliveries) deliveries.set({ state }, count);
    databaseBytes.set(figures.databaseBytes);
    for (const { kind, count, bytes } of figures.artifacts) {
      artifacts.set({ kind }, count);
      artifactBytes.set({ kind }, bytes);
    }
  };
}

/** The first so many values as they are. */
function bounded(): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.size < mostValues) seen.add(value);
    return seen.has(value) ? value : "OTHER";
  };
}
