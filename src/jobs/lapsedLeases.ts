/** Gives the jobs of workers that stopped answering back to the queue. Workers do it, and the server, which may have none. */
import { setTimeout as timer } from "node:timers/promises";
import type { Logger } from "../observe/logger.ts";
import type { Store } from "../store/store.ts";

export interface LapsedLeasesOptions {
  readonly store: Store;
  /** Workers that may die on one job, without saving anything in between, before it is given up. */
  readonly maxAttempts: number;
  /** Told of every lease that has run out. */
  readonly log: Logger;
}

export async function requeueLapsed({ store, maxAttempts, log }: LapsedLeasesOptions): Promise<void> {
  for (const { jobId, owner, attempt, outcome } of await store.jobs.requeueLapsed({ maxAttempts })) {
    log.warn(`job ${jobId}: ${owner} stopped answering in attempt ${attempt}; the job is now ${outcome}`);
  }
}

/** Looks every `intervalMs` until `signal` aborts. A look that fails is logged; the next may do better. */
export async function watchLeases(
  options: LapsedLeasesOptions & { readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { intervalMs, signal, log } = options;
  while (!signal.aborted) {
    await requeueLapsed(options).catch((error: unknown) => log.error("leases: a look at them failed", { error }));
    await timer(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
