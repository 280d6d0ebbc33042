/**
 * Plans prunes in a thread of their own, one at a time, so that the API goes on answering meanwhile. The thread remembers
 * the searches it saw last, so another rule for one of them takes a moment; after some time without work it is ended.
 */
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { UnavailableError } from "../../errors.ts";
import { beginThread } from "../beginThread.ts";
import { sharedWatch, watchOver } from "../plugins/pluginWatch.ts";
import { receivedError } from "../prediction/sentErrors.ts";
import type { PlannedCells, PrunePlanAnswer, PrunePlanOrder } from "./prunePlanOrder.ts";

export interface PrunePlanner {
  /** Throws UnavailableError where too many wait, PluginError where the plugin fails or hangs. */
  plan(order: Omit<PrunePlanOrder, "pluginWatch">): Promise<PlannedCells>;
}

/** Plans that may wait for the one that is made. */
const longestLine = 20;
/** Milliseconds. */
const idleTime = 300_000;

/** `pluginSeconds`: what a step of the plugin may take. */
export function createPrunePlanner(pluginSeconds: number): PrunePlanner {
  let thread: Worker | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let idle: NodeJS.Timeout | undefined;

  const end = (): void => {
    void thread?.terminate();
    thread = undefined;
  };

  const begun = (): Worker => {
    const one = beginThread(import.meta.url, "prunePlannerThread", undefined);
    // Also of one that ends while nobody waits for it.
    return one.on("error", () => (thread = thread === one ? undefined : thread));
  };

  const planned = async (order: Omit<PrunePlanOrder, "pluginWatch">): Promise<PlannedCells> => {
    clearTimeout(idle);
    thread ??= begun();
    // A server that is closed does not wait for a plan that nobody waits for any more.
    thread.unref();
    try {
      const answer = await answerOf(thread, order, pluginSeconds);
      if (answer.kind === "PLANNED") return answer.cells;
      throw receivedError(answer.error);
    } catch (error) {
      end();
      throw error;
    } finally {
      idle = setTimeout(end, idleTime).unref();
    }
  };

  return {
    async plan(order) {
      if (waiting > longestLine) {
        throw new UnavailableError(`planPrune: ${longestLine} plans wait already`, { hint: "ask again in a minute" });
      }
      waiting++;
      const plan = tail.then(() => planned(order)).finally(() => waiting--);
      tail = plan.catch(() => undefined);
      return plan;
    },
  };
}

async function answerOf(
  thread: Worker,
  order: Omit<PrunePlanOrder, "pluginWatch">,
  seconds: number,
): Promise<PrunePlanAnswer> {
  const answered = new AbortController();
  const pluginWatch = sharedWatch(1);
  const { signal } = answered;
  const ended = async (): Promise<never> => {
    const [code] = (await once(thread, "exit", { signal })) as [number];
    throw new Error(`planPrune: its thread ended with exit code ${code}`);
  };
  let endWatch = (): void => undefined;
  try {
    const message = once(thread, "message", { signal });
    const hung = new Promise<never>((_, reject) => {
      endWatch = watchOver(pluginWatch, { sources: [order.plugin], seconds, stuck: reject });
    });
    thread.postMessage({ ...order, pluginWatch } satisfies PrunePlanOrder);
    const [answer] = (await Promise.race([message, ended(), hung])) as [PrunePlanAnswer];
    return answer;
  } finally {
    endWatch();
    answered.abort();
  }
}
