/**
 * A work loop of a worker process: takes one job at a time, keeps its lease while the handler works, and records how
 * it ended. It knows states and leases, never what a job does.
 */
import { setTimeout as timer } from "node:timers/promises";
import { ProductError } from "../errors.ts";
import { silence } from "../observe/logger.ts";
import type { LogFields, Logger } from "../observe/logger.ts";
import { noTracing } from "../observe/tracing.ts";
import type { Span, SpanAttributes, Tracing } from "../observe/tracing.ts";
import type { ClaimedJob, JobKind } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { isStorageFault } from "../store/storageFault.ts";
import { requeueLapsed } from "./lapsedLeases.ts";
import { recordedError } from "./recordedError.ts";

export interface JobContext {
  /** Aborts when the lease is lost or the run cancelled: whatever is written now is refused. Throw or return soon. */
  readonly lost: AbortSignal;
  /** Aborts when the worker is asked to stop: save what can be gone on with, then throw or return. */
  readonly stopping: AbortSignal;
  /** The job in a trace. */
  readonly span: Span;
}

/**
 * Does the work and writes its result with the job as the lease (`datasets.markReady`, `runs.succeed`), which ends the
 * job, or gives it back (`jobs.release`, `runs.markPaused`). What it throws is recorded as the reason of the failure.
 */
export type JobHandler = (job: ClaimedJob, context: JobContext) => Promise<void>;

export interface WorkQueueOptions {
  readonly store: Store;
  /** Names this process; two that live at once must differ. */
  readonly owner: string;
  /** Jobs of other kinds are left to others. */
  readonly handlers: { readonly [K in JobKind]?: JobHandler };
  /** Abort it to stop: the job in hand is finished where its handler ends well, else released for another worker. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks at an empty queue; default 250. */
  readonly pollMs?: number;
  /** Milliseconds after the last heartbeat until others may take the job; default 30,000. Heartbeats come at a third. */
  readonly leaseMs?: number;
  /** Milliseconds between two looks whether the job is still this worker's; default 500. */
  readonly watchMs?: number;
  /** Workers that may die on one job, without saving anything in between, before it is given up; default 3. */
  readonly maxAttempts?: number;
  /** Told of failures and lapsed leases; default: nobody. */
  readonly log?: Logger;
  /** Default: none. */
  readonly tracing?: Tracing;
}

/** Works until `signal` aborts. Rejects where the database fails: end the process then, its lease lapses. */
export async function workQueue(options: WorkQueueOptions): Promise<void> {
  const { store, owner, signal, pollMs = 250, leaseMs = 30_000, watchMs = 500, maxAttempts = 3 } = options;
  const { log = silence, tracing = noTracing } = options;
  const kinds = Object.keys(options.handlers) as JobKind[];

  const requeue = (): Promise<void> => requeueLapsed({ store, maxAttempts, log });

  /** Until `ended` aborts. Aborts `lost` where the lease is lost, or with the fault where that cannot be told. */
  const keepLease = async (job: ClaimedJob, ended: AbortSignal, lost: AbortController): Promise<void> => {
    let beat = Date.now();
    try {
      while (await pause(Math.min(watchMs, leaseMs / 3), ended)) {
        if (!(await store.jobs.isHeld(job))) return lost.abort(new LeaseLost(job));
        if (Date.now() - beat < leaseMs / 3) continue;
        beat = Date.now();
        if (!(await store.jobs.heartbeat(job, leaseMs))) return lost.abort(new LeaseLost(job));
        // A worker in a long job looks after the jobs of dead ones too.
        await requeue();
      }
    } catch (fault) {
      lost.abort(fault);
    }
  };

  const work = async (job: ClaimedJob): Promise<void> => {
    const ended = new AbortController();
    const lost = new AbortController();
    const lease = keepLease(job, ended.signal, lost);
    const failure = await tracing.during(
      `job ${job.kind}`,
      { kind: "consumer", attributes: traced(job) },
      async (span) => {
        const context = { lost: lost.signal, stopping: signal, span };
        const thrown = await thrownBy(options.handlers[job.kind]!, job, context);
        if (thrown !== undefined) span.fail();
        return thrown;
      },
    );
    ended.abort();
    await lease;
    if (await store.jobs.isDone(job)) return;
    if (lost.signal.aborted) {
      if (lost.signal.reason instanceof LeaseLost) return log.warn(lost.signal.reason.message, subjectOf(job));
      throw lost.signal.reason;
    }
    if (!(await store.jobs.isHeld(job))) return;
    if (signal.aborted) return void (await store.jobs.release(job));
    // Not the work has failed but what it is kept with: this process ends, and the job is tried again.
    if (isStorageFault(failure)) throw failure;
    const error = failure ?? new Error(`${job.subjectId}: the handler of ${job.kind} returned, but wrote no result`);
    logFailure(log, job, error);
    await store.jobs.fail(job, recordedError(error));
  };

  while (!signal.aborted) {
    await requeue();
    const job = await store.jobs.claim({ owner, leaseMs, kinds });
    if (job === null) await pause(pollMs, signal);
    else await work(job);
  }
}

class LeaseLost extends Error {
  constructor({ jobId, owner, attempt }: ClaimedJob) {
    super(`job ${jobId}: ${owner} has lost it in attempt ${attempt}`);
    this.name = "LeaseLost";
  }
}

/** Runs the handler; gives what it threw, or undefined. */
async function thrownBy(handler: JobHandler, job: ClaimedJob, context: JobContext): Promise<unknown> {
  try {
    await handler(job, context);
    return undefined;
  } catch (error) {
    return error ?? new Error(`${job.subjectId}: the handler of ${job.kind} threw ${String(error)}`);
  }
}

/** True after the whole time, false as soon as the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return timer(ms, true, { signal }).catch(() => false);
}

/** A fault of the caller is told by its message; only for ours does the place in the code matter. */
function logFailure(log: Logger, job: ClaimedJob, error: unknown): void {
  const message = `job ${job.jobId}: failed: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof ProductError) log.warn(message, subjectOf(job));
  else log.error(message, { ...subjectOf(job), error });
}

function traced({ jobId, subjectId, attempt }: ClaimedJob): SpanAttributes {
  return { "autoifs.job": jobId, "autoifs.subject": subjectId, "autoifs.attempt": attempt };
}

function subjectOf({ kind, subjectId, attempt }: ClaimedJob): LogFields {
  return { kind, subjectId, attempt };
}
