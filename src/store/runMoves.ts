/**
 * How runs move. Every move is one transaction that also moves the run's job and appends the event that tells of it:
 *
 *   QUEUED → RUNNING (claim) → SUCCEEDED (succeed) | FAILED (jobs.fail)
 *   QUEUED → PAUSED (pause)      RUNNING → PAUSED (pause, then the worker's markPaused)      PAUSED → QUEUED (resume)
 *   RUNNING → QUEUED (released, or the lease ran out)      QUEUED, RUNNING, PAUSED → CANCELLED (cancel)
 *
 * What a worker writes is fenced by its lease: once the run was cancelled or given to another, it is refused.
 */
import { ConflictError } from "../errors.ts";
import { appendEvent } from "./events.ts";
import { orNotFound } from "./found.ts";
import { assertHeld, closeJob, leaseLost } from "./lease.ts";
import type { Lease, Run, StopReason } from "./rows.ts";
import { runOf } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export interface SavedTraining {
  /** The artifact with everything a worker needs to go on. */
  readonly hash: string;
  readonly epoch: number;
  readonly step: number;
  /** True where it also is a model that can be kept: the best so far. */
  readonly isModel: boolean;
}

export interface RunResult {
  readonly checkpointHash: string;
  readonly predictionsHash: string;
  readonly stopReason: StopReason;
  readonly timings: unknown;
  /** How large and how fast the model is; absent where it could not be measured. */
  readonly size?: unknown;
}

export type RunMoves = ReturnType<typeof runMoves>;

/** Ends a run that has not ended, whoever has it. False where it had ended. */
export async function cancelInside(tx: DatabaseTransaction, id: string): Promise<boolean> {
  const cancelled = await tx.modelRun.updateMany({
    where: { id, state: { in: ["QUEUED", "RUNNING", "PAUSED"] } },
    data: { state: "CANCELLED", ...released, trainingStateHash: null, finishedAt: new Date() },
  });
  if (cancelled.count === 0) return false;
  await tx.job.updateMany({ where: { subjectId: id }, data: { state: "DONE", leaseExpiresAt: null } });
  await appendEvent(tx, id, "STATE", { state: "CANCELLED" });
  return true;
}

/**
 * Puts a PAUSED run back into the queue, to be paused again after `pauseAtEpoch` epochs (null: to go through; default: as
 * it was going to be). False where it is not PAUSED.
 */
export async function resumeInside(
  tx: DatabaseTransaction,
  id: string,
  pauseAtEpoch?: number | null,
): Promise<boolean> {
  const resumed = await tx.modelRun.updateMany({
    where: { id, state: "PAUSED" },
    data: { state: "QUEUED", pauseAtEpoch },
  });
  if (resumed.count === 0) return false;
  await tx.job.updateMany({ where: { subjectId: id }, data: { state: "QUEUED", availableAt: new Date() } });
  await appendEvent(tx, id, "STATE", { state: "QUEUED" });
  return true;
}

/** Nobody works on the run. */
const released = { leaseOwner: null, leaseExpiresAt: null, pauseRequested: false };

export function runMoves(database: Database) {
  return {
    /** Writes where the training stands. Throws ConflictError where the lease is lost. */
    recordProgress(lease: Lease, progress: object): Promise<void> {
      return database.$transaction(async (tx) => {
        const { subjectId: id, owner: leaseOwner, attempt } = lease;
        const written = await tx.modelRun.updateMany({
          where: { id, state: "RUNNING", leaseOwner, attempt },
          data: { progress: JSON.stringify(progress) },
        });
        if (written.count === 0) throw leaseLost(lease);
        await appendEvent(tx, id, "PROGRESS", progress);
      });
    },

    /** Writes what is going to compute the run. Throws ConflictError where the lease is lost. */
    recordVersions(lease: Lease, versions: object): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        await tx.modelRun.update({ where: { id: lease.subjectId }, data: { versions: JSON.stringify(versions) } });
      });
    },

    /** Writes how the model of a PRUNE changes against its search. Throws ConflictError where the lease is lost. */
    recordVerified(lease: Lease, changes: readonly object[]): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        await tx.modelRun.update({ where: { id: lease.subjectId }, data: { pruneVerified: JSON.stringify(changes) } });
      });
    },

    /** True where the worker that has the run should pause it. */
    async isPauseRequested({ subjectId: id }: Lease): Promise<boolean> {
      return (await database.modelRun.count({ where: { id, state: "RUNNING", pauseRequested: true } })) > 0;
    },

    /**
     * The artifact becomes what the run goes on from. Gives the hash of the one before, which nobody needs any more.
     * Throws ConflictError where the lease is lost.
     */
    saveTraining(lease: Lease, { hash, isModel, epoch, step }: SavedTraining): Promise<string | null> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const id = lease.subjectId;
        const { trainingStateHash: before } = await tx.modelRun.findUniqueOrThrow({ where: { id } });
        const data = { trainingStateHash: hash, ...(isModel ? { checkpointHash: hash } : {}) };
        await tx.modelRun.update({ where: { id }, data });
        await tx.job.update({ where: { id: lease.jobId }, data: { deaths: 0 } });
        await appendEvent(tx, id, "CHECKPOINT", { epoch, step });
        return before;
      });
    },

    /**
     * Ends a run well: SUCCEEDED, and its job DONE. The checkpoint and the predictions are artifacts that have been put.
     * Throws ConflictError where the lease is lost. (A run ends badly through `jobs.fail`.)
     */
    succeed(lease: Lease, { timings, size, ...result }: RunResult): Promise<Run> {
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const { subjectId: id } = lease;
        await tx.modelRun.update({
          where: { id },
          data: {
            ...result,
            ...released,
            state: "SUCCEEDED",
            trainingStateHash: null,
            pauseAtEpoch: null,
            timings: JSON.stringify(timings),
            ...(size === undefined ? {} : { size: JSON.stringify(size) }),
            finishedAt: new Date(),
          },
        });
        await appendEvent(tx, id, "STATE", { state: "SUCCEEDED", stopReason: result.stopReason });
        return runOf(await tx.modelRun.findUniqueOrThrow({ where: { id } }));
      });
    },

    /**
     * The worker has saved the run and lets go of it: PAUSED. `isAtEpoch`: it came to its `pauseAtEpoch`, which is done
     * with that. Throws ConflictError where the lease is lost.
     */
    markPaused(lease: Lease, { isAtEpoch }: { readonly isAtEpoch: boolean }): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const { jobId, subjectId: id } = lease;
        await tx.job.update({ where: { id: jobId }, data: { state: "PAUSED", owner: null, leaseExpiresAt: null } });
        await tx.modelRun.update({
          where: { id },
          data: { ...released, state: "PAUSED", ...(isAtEpoch ? { pauseAtEpoch: null } : {}) },
        });
        await appendEvent(tx, id, "STATE", { state: "PAUSED" });
      });
    },

    /**
     * A run that waits is PAUSED at once; of one that is RUNNING its worker is asked to save it and let go. Throws
     * NotFoundError, or ConflictError for any other state.
     */
    pause(id: string): Promise<Run> {
      return database.$transaction(async (tx) => {
        const waiting = await tx.modelRun.updateMany({ where: { id, state: "QUEUED" }, data: { state: "PAUSED" } });
        if (waiting.count > 0) {
          await tx.job.updateMany({ where: { subjectId: id }, data: { state: "PAUSED" } });
          await appendEvent(tx, id, "STATE", { state: "PAUSED" });
        }
        const asked = await tx.modelRun.updateMany({ where: { id, state: "RUNNING" }, data: { pauseRequested: true } });
        const run = await found(tx, id);
        if (waiting.count + asked.count === 0) throw wrongState(run, "QUEUED or RUNNING");
        return run;
      });
    },

    /** QUEUED again, from where it was. Throws NotFoundError, or ConflictError for a run that is not PAUSED. */
    resume(id: string): Promise<Run> {
      return database.$transaction(async (tx) => {
        const resumed = await resumeInside(tx, id);
        const run = await found(tx, id);
        if (!resumed) throw wrongState(run, "PAUSED");
        return run;
      });
    },

    /**
     * Ends a run that has not ended yet: CANCELLED, with the best checkpoint it had. The worker that trains it, if there
     * is one, loses its lease with that. Throws NotFoundError, or ConflictError where the run has ended.
     */
    cancel(id: string): Promise<Run> {
      return database.$transaction(async (tx) => {
        const cancelled = await cancelInside(tx, id);
        const run = await found(tx, id);
        if (!cancelled) throw wrongState(run, "QUEUED, RUNNING or PAUSED");
        return run;
      });
    },
  };
}

async function found(tx: DatabaseTransaction, id: string): Promise<Run> {
  return runOf(orNotFound(await tx.modelRun.findUnique({ where: { id } }), "run", id));
}

function wrongState({ id, state }: Run, expected: string): ConflictError {
  return new ConflictError(`run ${id}: expected a run in state ${expected}, but it is ${state}`, {
    field: "id",
    expected: `a run in state ${expected}`,
    received: state,
  });
}
