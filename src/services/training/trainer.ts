/** Trains in a thread, so that the process can go on answering for its job meanwhile. */
import type { Worker } from "node:worker_threads";
import { type PluginError, ProductError } from "../../errors.ts";
import { beginThread } from "../beginThread.ts";
import { sharedWatch, watchOver } from "../plugins/pluginWatch.ts";
import { type TrainingMessage, type TrainingOrder, wishes } from "./trainingMessages.ts";

type Last = Extract<TrainingMessage, { kind: "DONE" | "INTERRUPTED" }>;
export type TrainingReport = Exclude<TrainingMessage, Last | { kind: "FAILED" }>;

export interface TrainOptions {
  /** Called in order; what it promises decides whether a STATE counts as kept. */
  readonly report: (report: TrainingReport) => Promise<void>;
  /** Ends the training after its current step, with everything it has not saved lost. */
  readonly stop: AbortSignal;
  /** Ends the training after its current step, saved: INTERRUPTED. */
  readonly saveAndStop: AbortSignal;
}

export interface Trainer {
  /** One at a time. Throws what the training threw, PluginError where the plugin hangs, or the reason of `stop`. */
  train(order: Omit<TrainingOrder, "wish" | "pluginWatch">, options: TrainOptions): Promise<Last>;
  close(): Promise<void>;
}

/** How long a thread that was told to stop may take to reach the end of its step, in milliseconds. */
const grace = 8_000;
/**
 * After a training of less than this many milliseconds its thread is kept for the next, as in a sweep the start of a thread
 * takes longer than a small training; after a longer one it is ended, which gives all its memory back at once.
 */
const shortTraining = 60_000;

/** `pluginSeconds`: what a step of the plugin may take. */
export function createTrainer(pluginSeconds: number): Trainer {
  let idle: Worker | undefined;

  const keep = (thread: Worker): void => {
    idle = thread;
    thread.unref();
    const forget = (): void => void (idle = idle === thread ? undefined : idle);
    thread.once("exit", forget).once("error", forget);
  };

  return {
    async train(order, { report, stop, saveAndStop }) {
      stop.throwIfAborted();
      const begun = performance.now();
      const wish = new Int32Array(new SharedArrayBuffer(4));
      const thread = idle ?? beginThread(import.meta.url, "trainingThread", undefined);
      idle = undefined;
      thread.removeAllListeners();
      thread.ref();
      let killer: NodeJS.Timeout | undefined;
      const askToSave = (): void => void Atomics.compareExchange(wish, 0, 0, wishes.indexOf("SAVE_AND_STOP"));
      const end = (): void => {
        Atomics.store(wish, 0, wishes.indexOf("STOP"));
        killer = setTimeout(() => void thread.terminate(), grace);
      };
      stop.addEventListener("abort", end);
      saveAndStop.addEventListener("abort", askToSave);
      if (saveAndStop.aborted) askToSave();
      let isWell = false;
      const hung = new AbortController();
      let endWatch = (): void => undefined;
      try {
        const pluginWatch = sharedWatch(1);
        const stuck = (error: PluginError): void => hung.abort(error);
        endWatch = watchOver(pluginWatch, { sources: [order.plugin], seconds: pluginSeconds, stuck });
        const last = await lastMessage(thread, { ...order, wish, pluginWatch }, { report, hung: hung.signal });
        isWell = performance.now() - begun < shortTraining;
        return last;
      } catch (error) {
        throw stop.aborted ? stop.reason : error;
      } finally {
        endWatch();
        stop.removeEventListener("abort", end);
        saveAndStop.removeEventListener("abort", askToSave);
        clearTimeout(killer);
        thread.removeAllListeners();
        if (isWell && !stop.aborted) keep(thread);
        else await thread.terminate();
      }
    },
    async close() {
      await idle?.terminate();
    },
  };
}

function lastMessage(
  thread: Worker,
  order: TrainingOrder,
  { report, hung }: Pick<TrainOptions, "report"> & { readonly hung: AbortSignal },
): Promise<Last> {
  return new Promise<Last>((resolve, reject) => {
    hung.addEventListener("abort", () => reject(hung.reason as PluginError));
    thread.on("message", (message: TrainingMessage) => {
      if (message.kind === "DONE" || message.kind === "INTERRUPTED") return resolve(message);
      if (message.kind === "FAILED") return reject(errorOf(message));
      const answer = (isKept: boolean): void => {
        if (message.kind === "STATE") thread.postMessage(isKept);
      };
      report(message).then(
        () => answer(true),
        () => answer(false),
      );
    });
    thread.once("error", reject);
    thread.once("exit", (code) => reject(new Error(`training thread: ended with exit code ${code} and no result`)));
    thread.postMessage(order);
  });
}

function errorOf({ code, message, detail, stack }: TrainingMessage & { kind: "FAILED" }): Error {
  if (code) return new ProductError(code, message, detail);
  return Object.assign(new Error(message), { stack });
}
