/**
 * Compares predictions in threads of their own, two at a time, so that the API goes on answering meanwhile. What was
 * compared last is kept: the files of runs that have ended do not change.
 */
import { UnavailableError } from "../../errors.ts";
import { beginThread } from "../beginThread.ts";
import type { ComparedCells, ComparisonOrder } from "./comparisonOrder.ts";

export interface Comparer {
  /** Throws UnavailableError where too many wait. */
  compare(order: ComparisonOrder): Promise<ComparedCells>;
}

const atOnce = 2;
/** Comparisons that may wait for those that run. */
const longestLine = 50;
/** Results that are kept. */
const capacity = 100;

/** `run`: what carries out an order; default: a thread. */
export function createComparer(run: Comparer["compare"] = compareInThread): Comparer {
  /** By their order, the one asked longest ago first. */
  const results = new Map<string, Promise<ComparedCells>>();
  const line: (() => void)[] = [];
  let running = 0;

  const turn = async (order: ComparisonOrder): Promise<ComparedCells> => {
    if (running === atOnce) await new Promise<void>((resolve) => line.push(resolve));
    else running++;
    try {
      return await run(order);
    } finally {
      // Whoever is next takes this place.
      const next = line.shift();
      if (next) next();
      else running--;
    }
  };

  return {
    compare(order) {
      const key = JSON.stringify(order);
      const known = results.get(key);
      if (!known && line.length >= longestLine)
        throw new UnavailableError(`comparison: ${longestLine} comparisons wait already`, {
          hint: "ask again in a minute",
        });
      const result = known ?? turn(order);
      results.delete(key);
      results.set(key, result);
      // One that failed is made again by whoever asks next.
      if (!known) result.catch(() => results.get(key) === result && results.delete(key));
      if (results.size > capacity) results.delete(results.keys().next().value!);
      return result;
    },
  };
}

async function compareInThread(order: ComparisonOrder): Promise<ComparedCells> {
  const thread = beginThread(import.meta.url, "comparisonThread", order);
  // A server that is closed does not wait for a comparison that nobody waits for any more.
  thread.unref();
  try {
    return await new Promise<ComparedCells>((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`comparison: its thread ended with exit code ${code}`)));
    });
  } finally {
    await thread.terminate();
  }
}
