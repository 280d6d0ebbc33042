/** Runs one training in a thread of its own, so that the process can go on answering for its job meanwhile. */
import { Worker } from "node:worker_threads";
import { ProductError } from "../errors.ts";
import type { TrainingTimings } from "../training/events.ts";
import type { TrainingMessage, TrainingOrder } from "./trainingThread.ts";

export type TrainingReport = Exclude<TrainingMessage, { kind: "DONE" } | { kind: "FAILED" }>;

export interface ThreadResult {
  /** The encoded checkpoint. */
  readonly checkpoint: Uint8Array;
  readonly timings: TrainingTimings;
}

/** How long a thread that was told to stop may take to reach the end of its step, in milliseconds. */
const grace = 8_000;

/** Throws what the training threw, or the reason of `signal`, whose abort ends the training after its current step. */
export async function runInThread(
  order: Omit<TrainingOrder, "stop">,
  report: (report: TrainingReport) => void,
  signal: AbortSignal,
): Promise<ThreadResult> {
  signal.throwIfAborted();
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const thread = beginThread({ ...order, stop });
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    Atomics.store(stop, 0, 1);
    killer = setTimeout(() => void thread.terminate(), grace);
  };
  signal.addEventListener("abort", end);
  try {
    return await new Promise<ThreadResult>((resolve, reject) => {
      thread.on("message", (message: TrainingMessage) => {
        if (message.kind === "DONE") resolve(message);
        else if (message.kind === "FAILED") reject(errorOf(message));
        else report(message);
      });
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`training thread: ended with exit code ${code} and no result`)));
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(killer);
    await thread.terminate();
  }
}

/** Under Node 20 a thread does not get the TypeScript loader of its process: from the sources it registers its own. */
function beginThread(workerData: TrainingOrder): Worker {
  if (!import.meta.url.endsWith(".ts"))
    return new Worker(new URL("./trainingThread.js", import.meta.url), { workerData });
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const entry = JSON.stringify(new URL("./trainingThread.ts", import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${entry}); });`;
  return new Worker(code, { eval: true, workerData });
}

function errorOf({ code, message, detail, stack }: TrainingMessage & { kind: "FAILED" }): Error {
  if (code) return new ProductError(code, message, detail);
  return Object.assign(new Error(message), { stack });
}
