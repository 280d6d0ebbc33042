/**
 * Runs what a drift needs computed in a thread, one order after the other, so that the API goes on answering meanwhile. The thread
 * is begun with the first order, and ended where no other has come for a minute.
 */
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { UnavailableError } from "../../errors.ts";
import { beginThread } from "../beginThread.ts";
import type { DriftOrder, DriftResult } from "./driftOrder.ts";

export interface DriftMeasurer {
  /** Throws UnavailableError where too many wait. */
  carryOut<Order extends DriftOrder>(order: Order): Promise<DriftResult<Order>>;
}

/** Orders that may wait for the one that runs. */
const longestLine = 50;
const idleMs = 60_000;

export function createDriftMeasurer(): DriftMeasurer {
  let thread: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const end = (): void => {
    void thread?.terminate();
    thread = null;
  };

  const inThread = async <Order extends DriftOrder>(order: Order): Promise<DriftResult<Order>> => {
    clearTimeout(idle);
    const worker = (thread ??= beginThread(import.meta.url, "driftThread", null));
    // A server that is closed does not wait for an answer that nobody waits for any more.
    worker.unref();
    const done = new AbortController();
    const { signal } = done;
    try {
      const ended = once(worker, "exit", { signal }).then(([code]) => {
        throw new Error(`drift: its thread ended with exit code ${code}`);
      });
      worker.postMessage(order);
      // It also ends with the thread's own error.
      const [result] = await Promise.race([once(worker, "message", { signal }), ended]);
      return result as DriftResult<Order>;
    } catch (error) {
      end();
      throw error;
    } finally {
      done.abort();
      idle = setTimeout(end, idleMs).unref();
    }
  };

  return {
    async carryOut(order) {
      if (waiting > longestLine) {
        throw new UnavailableError(`drift: ${longestLine} questions wait already`, { hint: "ask again in a minute" });
      }
      waiting++;
      const result = last.then(() => inThread(order)).finally(() => waiting--);
      last = result.catch(() => undefined);
      return result;
    },
  };
}
