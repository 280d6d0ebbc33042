/**
 * Counts what stands in the rows that models answer, for the drift of their fields, and keeps the rows whose sender names them,
 * for the labels that come later. Counts are in memory for a few seconds, and what a kill takes with it is that much; a row with a
 * name is in the database before its answer leaves.
 */
import { setTimeout as timer } from "node:timers/promises";
import type { ServedBin } from "../../store/servedBins.ts";
import type { ServedRow } from "../../store/servedRows.ts";
import type { Store } from "../../store/store.ts";
import type { ModelFacts } from "../prediction/poolMessages.ts";
import type { ServedBatch, ServedObserver } from "../prediction/servedObserver.ts";
import { manifestOf } from "../stored.ts";
import { binCount, binningOf, countBins } from "./bins.ts";
import type { Binning } from "./bins.ts";
import { dayOf } from "./days.ts";
import { createServedRowWriter } from "./servedRowWriter.ts";

export interface ServedRecorder extends ServedObserver {
  /** Writes down what has been counted. */
  flush(): Promise<void>;
  /** Takes away rows whose time is over, every hour until `signal` aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /** Writes down what has been counted; nothing may be served any more. */
  close(): Promise<void>;
}

export interface ServedRecorderOptions {
  readonly store: Pick<Store, "datasets" | "served">;
  readonly log: { error(message: string, fields: { readonly error: unknown }): void };
  /** Milliseconds between two flushes; default 1000. */
  readonly flushMs?: number;
}

/** Of one version on one day. */
interface Counts {
  readonly facts: ModelFacts;
  readonly versionId: string;
  readonly day: string;
  /** [scenarios, fields, bins] */
  readonly rows: Int32Array;
}

type Answered = Pick<ServedBatch, "version" | "run" | "facts" | "rows" | "ids" | "numbers" | "scenario">;

const dayMs = 86_400_000;
const sweepMs = 3_600_000;

export function createServedRecorder({ store, log, flushMs = 1000 }: ServedRecorderOptions): ServedRecorder {
  const writer = createServedRowWriter(store);
  /** By dataset, what tells its fields apart. */
  const known = new Map<string, Binning>();
  const asked = new Map<string, Promise<Binning>>();
  /** By version and day. */
  let counts = new Map<string, Counts>();
  /** What came before its dataset was known. */
  const waiting = new Set<Promise<void>>();

  const failed = (error: unknown): void => log.error("served rows: they could not be counted", { error });

  const count = ({ version, facts, ...rows }: Answered, binning: Binning, now: number): void => {
    const key = `${version.id} ${Math.floor(now / dayMs)}`;
    let entry = counts.get(key);
    if (!entry) {
      const cells = new Int32Array(facts.scenarios.length * facts.columns.length * binCount);
      entry = { facts, versionId: version.id, day: dayOf(now), rows: cells };
      counts.set(key, entry);
    }
    countBins(rows, binning, entry.rows);
  };

  const countLater = (answered: Answered, now: number): void => {
    const { datasetId } = answered.run;
    const reading = asked.get(datasetId) ?? binningOfDataset(store, datasetId);
    asked.set(datasetId, reading);
    const { ids, numbers, scenario } = answered;
    const kept = { ...answered, ids: ids.slice(), numbers: numbers.slice(), scenario: scenario.slice() };
    const counted = reading
      .then((binning) => {
        known.set(datasetId, binning);
        count(kept, binning, now);
      }, failed)
      .finally(() => {
        // Where it could not be read, whoever comes next tries again.
        asked.delete(datasetId);
        waiting.delete(counted);
      });
    waiting.add(counted);
  };

  const flush = async (): Promise<void> => {
    await Promise.all(waiting);
    const taken = counts;
    counts = new Map();
    try {
      await store.served.addBins([...taken.values()].flatMap(binsOf));
    } catch (error) {
      // None of them is written: they wait for the next flush.
      for (const [key, entry] of taken) {
        const since = counts.get(key);
        since?.rows.forEach((rows, i) => (entry.rows[i]! += rows));
        counts.set(key, entry);
      }
      throw error;
    }
  };
  /** One flush after the other. */
  let last: Promise<void> = Promise.resolve();
  const next = (): Promise<void> => {
    const flushed = last.then(flush);
    last = flushed.catch(failed);
    return flushed;
  };
  const clock = setInterval(() => void next().catch(() => undefined), flushMs);
  clock.unref();

  return {
    served(batch) {
      const { version, run, facts, rows, ids, numbers, scenario, rowIds } = batch;
      const now = Date.now();
      const answered = { version, run, facts, rows, ids, numbers, scenario };
      const binning = known.get(run.datasetId);
      if (binning) count(answered, binning, now);
      else countLater(answered, now);
      return rowIds ? writer.write(namedRows(batch, rowIds, dayOf(now))) : undefined;
    },
    flush: next,
    async watch(signal) {
      while (!signal.aborted) {
        await store.served.forgetOldRows().catch((error: unknown) => {
          log.error("served rows: old ones could not be taken away", { error });
        });
        await timer(sweepMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
    async close() {
      clearInterval(clock);
      await writer.idle();
      await next().catch(() => undefined);
    },
  };
}

async function binningOfDataset({ datasets }: Pick<Store, "datasets">, datasetId: string): Promise<Binning> {
  return binningOf(manifestOf(await datasets.get(datasetId))!.shape);
}

function binsOf({ facts: { scenarios, columns }, versionId, day, rows }: Counts): ServedBin[] {
  const found: ServedBin[] = [];
  rows.forEach((count, i) => {
    if (count === 0) return;
    const [bin, cell] = [i % binCount, Math.floor(i / binCount)];
    const [scenarioKey, column] = [scenarios[Math.floor(cell / columns.length)]!, columns[cell % columns.length]!];
    found.push({ versionId, day, scenarioKey, column, bin, rows: count });
  });
  return found;
}

function namedRows(
  { version: { id: versionId, modelId }, facts, scenario, probabilities, taskKeys }: ServedBatch,
  rowIds: readonly (string | null)[],
  day: string,
): ServedRow[] {
  return rowIds.flatMap((rowId, row) => {
    if (rowId === null) return [];
    const byTask = taskKeys.map((task, i) => [task, probabilities[row * taskKeys.length + i]!] as const);
    const scenarioKey = facts.scenarios[scenario[row]!]!;
    return [{ modelId, versionId, rowId, scenarioKey, day, probabilities: Object.fromEntries(byTask) }];
  });
}
