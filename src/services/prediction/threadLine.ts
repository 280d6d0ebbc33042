/**
 * One thread of the pool and the requests that wait for it. It runs one batch at a time; what arrives for a model meanwhile is
 * run together next, the models in turn. The thread is begun when it is first needed, and anew after it has died.
 *
 *   idle → (a request arrives) waiting for the end of this turn of the event loop, or for `waitMs` → busy → idle | busy
 */
import { UnavailableError } from "../../errors.ts";
import type {
  BatchArrays,
  EncodedRequest,
  ModelFacts,
  ModelFiles,
  PoolOrder,
  PoolReport,
  RawRequest,
} from "./poolMessages.ts";
import { receivedError } from "./sentErrors.ts";

export interface ServingThread {
  post(order: PoolOrder): void;
  end(): Promise<void>;
}

/** A backbone whose plugin has not come to its end. */
export interface HungPlugin {
  readonly backbone: string;
  readonly error: Error;
}

/** `ended` is called once at most, however it comes to its end; with `hung` where a plugin is to blame. */
export type BeginThread = (listener: {
  report(report: PoolReport): void;
  ended(reason: string, hung?: HungPlugin): void;
}) => ServingThread;

export interface LineOptions {
  readonly begin: BeginThread;
  /** Milliseconds that a first request waits for others; 0: until the event loop comes round. */
  readonly waitMs: number;
  /** A batch was answered. */
  ran(rows: number): void;
  /** The thread has died, and its models with it. */
  died(reason: string): void;
  /** What a model holds now, where it has been told. */
  grew(key: string, bytes: number): void;
}

export interface ThreadLine {
  /** Rejects with what it cannot be loaded for, UnavailableError where the thread dies, the plugin's error where it hangs. */
  load(key: string, files: ModelFiles): Promise<Loaded>;
  /** Of a model that is loaded. Undefined where the thread died before it began with it: the model has to be loaded again. */
  run(key: string, request: RawRequest, explain: boolean): Promise<RequestAnswer | undefined>;
  release(key: string): void;
  /** Rows that wait, those of the batch that runs not among them. */
  waiting(): number;
  close(): Promise<void>;
}

export interface Loaded {
  readonly facts: ModelFacts;
  readonly bytes: number;
}

/** Arrays of the request's rows that could be used, views of those of the batch. */
export interface RequestAnswer extends BatchArrays, Pick<EncodedRequest, "rows" | "faults" | "unknown"> {}

/** Rows of one batch, unless a single request has more. */
export const mostRows = 1024;

interface Waiting {
  readonly request: RawRequest;
  readonly since: number;
  resolve(answer: RequestAnswer | undefined): void;
  reject(error: Error): void;
}

interface Load {
  readonly files: ModelFiles;
  resolve(loaded: Loaded): void;
  reject(error: Error): void;
}

interface Queue {
  readonly key: string;
  readonly explain: boolean;
  readonly waiting: Waiting[];
  rows: number;
}

export function createThreadLine({ begin, waitMs, ran, died, grew }: LineOptions): ThreadLine {
  let thread: ServingThread | undefined;
  const loads = new Map<string, Load>();
  /** Those with requests, the one whose turn it is first. */
  const queues = new Map<string, Queue>();
  /** What the thread works at. */
  let batch: { readonly key: string; readonly items: readonly Waiting[] } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const post = (order: PoolOrder): void => {
    thread ??= beginThread();
    thread.post(order);
  };

  const beginThread = (): ServingThread => {
    const own = begin({
      report: (report) => own === thread && receive(report),
      ended: (reason, hung) => own === thread && lose(reason, hung),
    });
    return own;
  };

  const lose = (reason: string, hung?: HungPlugin): void => {
    thread = undefined;
    if (hung && blame(hung, reason)) return;
    const error = new UnavailableError(`prediction: its thread has ended: ${reason}`, { hint: "ask again" });
    const lost = batch?.items ?? [];
    const spared = waitingItems();
    const unloaded = [...loads.values()];
    batch = undefined;
    queues.clear();
    loads.clear();
    died(reason);
    for (const { reject } of [...lost, ...unloaded]) reject(error);
    for (const { resolve } of spared) resolve(undefined);
  };

  /** Only those that asked for the plugin which hangs are refused: what else was in hand is begun again. False where it is nobody's. */
  const blame = ({ backbone, error }: HungPlugin, reason: string): boolean => {
    const guilty = [...loads].filter(([, { files }]) => files.backbone === backbone);
    // A model that is loaded may build more of itself when it is asked to explain.
    const refused = guilty.length > 0 ? [] : (batch?.items ?? []);
    if (guilty.length + refused.length === 0) return false;
    const spared = [...(guilty.length > 0 ? (batch?.items ?? []) : []), ...waitingItems()];
    batch = undefined;
    queues.clear();
    for (const [key] of guilty) loads.delete(key);
    died(reason);
    for (const { reject } of [...guilty.map(([, load]) => load), ...refused]) reject(error);
    for (const { resolve } of spared) resolve(undefined);
    for (const [key, { files }] of loads) post({ kind: "LOAD", key, files });
    return true;
  };

  const waitingItems = (): Waiting[] => [...queues.values()].flatMap(({ waiting }) => waiting);

  const receive = (report: PoolReport): void => {
    switch (report.kind) {
      case "LOADED":
        loads.get(report.key)?.resolve(report);
        return void loads.delete(report.key);
      case "NOT_LOADED":
        loads.get(report.key)?.reject(receivedError(report.error));
        return void loads.delete(report.key);
      case "RAN":
      case "NOT_RAN": {
        const { key, items } = batch!;
        batch = undefined;
        // The thread goes on while the answers are told here.
        send();
        if (report.kind === "NOT_RAN") for (const { reject } of items) reject(receivedError(report.error));
        else {
          grew(key, report.bytes);
          ran(report.scenario.length);
          tell(items, report);
        }
        return;
      }
      default:
        return report satisfies never;
    }
  };

  /** The first in turn that has enough rows or has waited long enough goes. */
  const send = (): void => {
    if (batch || queues.size === 0) return;
    const now = performance.now();
    let soonest = Infinity;
    for (const [name, queue] of queues) {
      const left = queue.rows >= mostRows ? 0 : queue.waiting[0]!.since + waitMs - now;
      if (left > 0) {
        soonest = Math.min(soonest, left);
        continue;
      }
      queues.delete(name);
      const items = taken(queue);
      // What is left comes after the others.
      if (queue.waiting.length > 0) queues.set(name, queue);
      batch = { key: queue.key, items };
      const requests = items.map(({ request }) => request);
      try {
        return post({ kind: "RUN", key: queue.key, explain: queue.explain, requests });
      } catch (error) {
        // No thread can be begun, or a value cannot be sent.
        batch = undefined;
        for (const { reject } of items) reject(error as Error);
        return setImmediate(send) && undefined;
      }
    }
    wake(soonest);
  };

  const wake = (inMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(send, inMs);
  };

  return {
    load(key, files) {
      return new Promise((resolve, reject) => {
        loads.set(key, { files, resolve, reject });
        post({ kind: "LOAD", key, files });
      });
    },

    run(key, request, explain) {
      return new Promise((resolve, reject) => {
        const name = `${key} ${explain}`;
        const queue = queues.get(name) ?? { key, explain, waiting: [], rows: 0 };
        queues.set(name, queue);
        queue.waiting.push({ request, since: performance.now(), resolve, reject });
        queue.rows += request.rows.length;
        if (batch) return;
        // Requests that were read together go together.
        if (waitMs > 0) send();
        else if (queues.size === 1 && queue.waiting.length === 1) setImmediate(send);
      });
    },

    release: (key) => thread?.post({ kind: "RELEASE", key }),

    waiting: () => [...queues.values()].reduce((sum, { rows }) => sum + rows, 0),

    async close() {
      clearTimeout(timer);
      const ended = thread;
      if (thread) lose("the server is closed");
      await ended?.end();
    },
  };
}

/** Takes out of a queue what one batch may have. */
function taken(queue: Queue): Waiting[] {
  let count = 0;
  let rows = 0;
  for (const { request } of queue.waiting) {
    if (count > 0 && rows + request.rows.length > mostRows) break;
    rows += request.rows.length;
    count++;
  }
  queue.rows -= rows;
  return queue.waiting.splice(0, count);
}

function tell(items: readonly Waiting[], { parts, ...arrays }: PoolReport & { kind: "RAN" }): void {
  const total = arrays.scenario.length;
  for (const [index, { resolve, reject }] of items.entries()) {
    const part = parts[index]!;
    if ("error" in part) reject(receivedError(part.error));
    else resolve({ rows: part.rows, faults: part.faults, unknown: part.unknown, ...viewsOf(arrays, part, total) });
  }
}

function viewsOf(arrays: BatchArrays, { start, rows }: EncodedRequest, total: number): BatchArrays {
  const of = <A extends Float32Array | Int32Array>(values: A): A => {
    const width = total === 0 ? 0 : values.length / total;
    return values.subarray(start * width, (start + rows) * width) as A;
  };
  const { probabilities, ids, numbers, scenario, partialLogits, gates } = arrays;
  return {
    probabilities: of(probabilities),
    ids: of(ids),
    numbers: of(numbers),
    scenario: of(scenario),
    ...(partialLogits && gates ? { partialLogits: of(partialLogits), gates: of(gates) } : {}),
  };
}
