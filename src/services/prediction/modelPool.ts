/**
 * The models that are ready to answer, in threads of their own, so that no prediction holds up the API. A model lives in one
 * thread: the one with the least in it when it is first asked. Those asked longest ago go where all together hold too much.
 */
import { ProductError, UnavailableError } from "../../errors.ts";
import type { ModelFacts, ModelFiles, RawRequest } from "./poolMessages.ts";
import { createThreadLine } from "./threadLine.ts";
import type { BeginThread, Loaded, RequestAnswer, ThreadLine } from "./threadLine.ts";

export interface PoolOptions {
  readonly begin: BeginThread;
  readonly threads: number;
  /** What all models together may hold. The one asked last stays, however large. */
  readonly memoryBytes: number;
  /** See LineOptions. */
  readonly waitMs: number;
  readonly watch: PoolWatch;
}

/** Hears what the pool does. */
export interface PoolWatch {
  loaded(seconds: number): void;
  evicted(): void;
  ran(rows: number): void;
  /** A thread has died without being asked to. */
  died(reason: string): void;
}

export interface PoolFigures {
  readonly models: number;
  readonly bytes: number;
  /** Rows that wait for a thread. */
  readonly waitingRows: number;
}

export interface PoolAnswer extends RequestAnswer {
  readonly facts: ModelFacts;
}

export interface PoolOrderOptions {
  /** Tells models apart; with the same key the files are the same. */
  readonly key: string;
  /** Asked where the model has to be loaded. */
  files(): Promise<ModelFiles>;
  readonly request: RawRequest;
  /** With partial logits and gates, where the head has them. */
  readonly explain: boolean;
}

export interface ModelPool {
  /**
   * Rejects with what the rows or the model are at fault for, the next time at once where that was its plugin; with
   * UnavailableError where the thread died over it, or too many rows wait already.
   */
  predict(order: PoolOrderOptions): Promise<PoolAnswer>;
  figures(): PoolFigures;
  /** Waits for what was begun, some seconds at most. */
  close(): Promise<void>;
}

/** Rows that may wait, in all; a second of work or some more. */
const mostWaiting = 100_000;
/** Milliseconds that a request may take which is under way when the pool is closed. */
const grace = 5_000;

interface Entry {
  readonly line: ThreadLine;
  readonly loaded: Promise<Loaded>;
  /** Undefined until it is loaded. */
  bytes: number | undefined;
  users: number;
}

export function createModelPool({ begin, threads, memoryBytes, waitMs, watch }: PoolOptions): ModelPool {
  /** By key, the one asked longest ago first. */
  const entries = new Map<string, Entry>();
  const underWay = new Set<Promise<unknown>>();
  /** What models were refused for whose plugin fails or hangs, by key and whether it was to explain: it would do so again. */
  const refused = new Map<string, Error>();
  let closed = false;
  const lines: readonly ThreadLine[] = Array.from({ length: threads }, () => {
    const line: ThreadLine = createThreadLine({
      begin,
      waitMs,
      ran: watch.ran,
      died(reason) {
        // What was being loaded fails of itself, and what has not been sent yet is loaded by the next thread.
        for (const [key, entry] of entries) if (entry.line === line && entry.bytes !== undefined) entries.delete(key);
        if (!closed) watch.died(reason);
      },
      grew(key, bytes) {
        const entry = entries.get(key);
        if (entry) entry.bytes = bytes;
      },
    });
    return line;
  });

  const enter = (key: string, files: PoolOrderOptions["files"]): Entry => {
    const entry = entries.get(key) ?? begun(key, files);
    // A map keeps the order in which its keys came.
    entries.delete(key);
    entries.set(key, entry);
    entry.users++;
    return entry;
  };

  const begun = (key: string, files: PoolOrderOptions["files"]): Entry => {
    const line = leastLoaded();
    const since = performance.now();
    const loaded = files().then((found) => line.load(key, found));
    const entry: Entry = { line, loaded, bytes: undefined, users: 0 };
    loaded.then(
      ({ bytes }) => {
        entry.bytes = bytes;
        watch.loaded((performance.now() - since) / 1000);
      },
      // One that could not be loaded is tried again by whoever asks next.
      () => entries.get(key) === entry && entries.delete(key),
    );
    return entry;
  };

  const leastLoaded = (): ThreadLine => {
    const loadOf = (line: ThreadLine): [number, number] => {
      const own = [...entries.values()].filter((entry) => entry.line === line);
      return [own.reduce((sum, { bytes = 0 }) => sum + bytes, 0), own.length];
    };
    const loads = lines.map((line) => ({ line, load: loadOf(line) }));
    loads.sort(({ load: [bytesA, countA] }, { load: [bytesB, countB] }) => bytesA - bytesB || countA - countB);
    return loads[0]!.line;
  };

  const heldBytes = (): number => [...entries.values()].reduce((sum, { bytes = 0 }) => sum + bytes, 0);

  const leave = (entry: Entry): void => {
    entry.users--;
    let held = heldBytes();
    let left = entries.size;
    for (const [key, { line, bytes, users }] of entries) {
      if (held <= memoryBytes || left-- === 1) return;
      if (users > 0 || bytes === undefined) continue;
      entries.delete(key);
      line.release(key);
      held -= bytes;
      watch.evicted();
    }
  };

  const predict = async ({ key, files, request, explain }: PoolOrderOptions): Promise<PoolAnswer> => {
    for (;;) {
      if (closed) throw new UnavailableError("prediction: the server is being closed");
      const known = refused.get(`${key} ${explain}`);
      if (known) throw known;
      const entry = enter(key, files);
      try {
        const { facts } = await entry.loaded;
        // Until it is run nobody else lets the model go, so the thread has it, unless it died meanwhile.
        const answer = entries.get(key) === entry ? await entry.line.run(key, request, explain) : undefined;
        if (answer) return { facts, ...answer };
      } catch (error) {
        if (error instanceof ProductError && error.code === "PLUGIN_FAILED") refused.set(`${key} ${explain}`, error);
        throw error;
      } finally {
        leave(entry);
      }
    }
  };

  return {
    predict(order) {
      if (lines.reduce((sum, line) => sum + line.waiting(), 0) > mostWaiting) {
        const message = `prediction: more than ${mostWaiting} rows wait already`;
        return Promise.reject(new UnavailableError(message, { hint: "ask again in some seconds" }));
      }
      const answer = predict(order);
      underWay.add(answer);
      const done = (): void => void underWay.delete(answer);
      answer.then(done, done);
      return answer;
    },

    figures: () => ({
      models: entries.size,
      bytes: heldBytes(),
      waitingRows: lines.reduce((sum, line) => sum + line.waiting(), 0),
    }),

    async close() {
      const late = new Promise((resolve) => setTimeout(resolve, grace).unref());
      await Promise.race([Promise.allSettled(underWay), late]);
      closed = true;
      await Promise.all(lines.map((line) => line.close()));
    },
  };
}
