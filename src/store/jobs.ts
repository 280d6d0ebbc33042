/**
 * The rows of the queue. A job's states:
 *
 *   QUEUED → RUNNING (claim) → DONE (the work was written) | FAILED (fail)
 *   QUEUED, RUNNING, PAUSED → DONE (what it is about was cancelled: nothing is left to do)
 *   RUNNING → QUEUED (release: same attempt; lapsed lease: the next attempt) | FAILED (lapsed in the last attempt)
 *   QUEUED, RUNNING → PAUSED → QUEUED (its run was paused, and resumed)
 *
 * What the job is about, a run, a dataset or another thing, moves in the same transaction. Who works, how often and how long is
 * decided in src/jobs.
 */
import { Prisma } from "./client/client.ts";
import { heldJob } from "./lease.ts";
import type { ClaimedJob, JobKind, Lease, RecordedError } from "./rows.ts";
import { subjects } from "./subjects.ts";
import type { Database } from "./sqlite.ts";

export interface ClaimOptions {
  /** Names the worker process; two that live at once must differ. */
  readonly owner: string;
  /** Milliseconds until the job counts as abandoned, unless the lease is extended. */
  readonly leaseMs: number;
  /** Jobs of other kinds are left to others; default: all kinds. */
  readonly kinds?: readonly JobKind[];
}

/** What became of a job whose worker stopped answering. */
export interface LapsedJob {
  readonly jobId: string;
  readonly owner: string;
  /** The attempt that died. */
  readonly attempt: number;
  readonly outcome: "QUEUED" | "FAILED";
}

export type Jobs = ReturnType<typeof jobStore>;

const allKinds = Object.keys(subjects) as JobKind[];

/** The row of a job that may be claimed at once. */
export function newJob(id: string, kind: JobKind, subjectId: string, createdAt: Date) {
  // What an experiment has to do next takes a moment, and trainings wait for it.
  const priority = kind === "ADVANCE_EXPERIMENT" ? 1 : 0;
  return { id, kind, subjectId, state: "QUEUED", priority, attempt: 1, availableAt: createdAt, createdAt };
}

export function jobStore(database: Database) {
  return {
    /** Takes the job that has waited longest, those of higher priority first, for `leaseMs`; null where none waits. */
    async claim({ owner, leaseMs, kinds = allKinds }: ClaimOptions): Promise<ClaimedJob | null> {
      // Most polls find nothing, and reading takes no lock.
      const waiting = { state: "QUEUED", kind: { in: [...kinds] }, availableAt: { lte: new Date() } };
      if ((await database.job.findFirst({ where: waiting, select: { id: true } })) === null) return null;
      return database.$transaction(async (tx) => {
        const now = new Date();
        const leaseExpiresAt = new Date(now.getTime() + leaseMs);
        const [row] = await tx.$queryRaw<{ id: string; kind: JobKind; subjectId: string; attempt: number }[]>`
          UPDATE "Job" SET "state" = 'RUNNING', "owner" = ${owner}, "leaseExpiresAt" = ${leaseExpiresAt}
          WHERE "state" = 'QUEUED' AND "id" = (
            SELECT "id" FROM "Job"
            WHERE "state" = 'QUEUED' AND "availableAt" <= ${now} AND "kind" IN (${Prisma.join([...kinds])})
            ORDER BY "priority" DESC, "availableAt", "id" LIMIT 1
          )
          RETURNING "id", "kind", "subjectId", "attempt"`;
        if (row === undefined) return null;
        const { id: jobId, kind, subjectId, attempt } = row;
        const job: ClaimedJob = { jobId, kind, subjectId, owner, attempt: Number(attempt) };
        await subjects[kind].claimed(tx, job, { now, leaseExpiresAt });
        return job;
      });
    },

    /** Makes the lease last `leaseMs` from now. False where it is lost: stop working on it. */
    heartbeat(job: ClaimedJob, leaseMs: number): Promise<boolean> {
      return database.$transaction(async (tx) => {
        const leaseExpiresAt = new Date(Date.now() + leaseMs);
        const held = await tx.job.updateMany({ where: heldJob(job), data: { leaseExpiresAt } });
        if (held.count > 0) await subjects[job.kind].extended(tx, job, leaseExpiresAt);
        return held.count > 0;
      });
    },

    /** True where the job is DONE under this lease: its work has been written, or its run was cancelled meanwhile. */
    async isDone({ jobId, owner, attempt }: Lease): Promise<boolean> {
      return (await database.job.count({ where: { id: jobId, state: "DONE", owner, attempt } })) > 0;
    },

    /** False where the work was written, given back or given to another, or its run was cancelled or paused. */
    async isHeld(job: Lease): Promise<boolean> {
      return (await database.job.count({ where: heldJob(job) })) > 0;
    },

    /** Ends the job and what it is about as FAILED. False where the lease is lost: nothing has changed. */
    fail(job: ClaimedJob, error: RecordedError): Promise<boolean> {
      return database.$transaction(async (tx) => {
        const data = { state: "FAILED", leaseExpiresAt: null, error: JSON.stringify(error) };
        const held = await tx.job.updateMany({ where: heldJob(job), data });
        if (held.count > 0) await subjects[job.kind].failed(tx, job, error);
        return held.count > 0;
      });
    },

    /**
     * Puts the job back for another worker, in the same attempt; with `delayMs` it is not taken before that has passed,
     * else it keeps its place. False where the lease is lost: nothing has changed.
     */
    release(job: ClaimedJob, delayMs?: number): Promise<boolean> {
      return database.$transaction(async (tx) => {
        const later = delayMs === undefined ? {} : { availableAt: new Date(Date.now() + delayMs) };
        const data = { state: "QUEUED", owner: null, leaseExpiresAt: null, ...later };
        const held = await tx.job.updateMany({ where: heldJob(job), data });
        if (held.count === 0) return false;
        const state = await subjects[job.kind].requeued(tx, job, job.attempt);
        await tx.job.update({ where: { id: job.jobId }, data: { state } });
        return true;
      });
    },

    /**
     * Puts the jobs whose lease has run out back for the next attempt, or fails them where `maxAttempts` workers have died
     * one after the other without having saved anything to go on from.
     * Returns what it did, for the log.
     */
    async requeueLapsed({ maxAttempts }: { readonly maxAttempts: number }): Promise<LapsedJob[]> {
      const lapsed = { state: "RUNNING", leaseExpiresAt: { lt: new Date() } };
      if ((await database.job.findFirst({ where: lapsed, select: { id: true } })) === null) return [];
      return database.$transaction(async (tx) => {
        const jobs: LapsedJob[] = [];
        for (const row of await tx.job.findMany({ where: lapsed, orderBy: { id: "asc" } })) {
          const { id: jobId, subjectId, attempt } = row;
          const kind = row.kind as JobKind;
          const job: ClaimedJob = { jobId, kind, subjectId, owner: row.owner!, attempt };
          const deaths = row.deaths + 1;
          if (deaths < maxAttempts) {
            const state = await subjects[kind].requeued(tx, job, attempt + 1);
            const data = { state, owner: null, leaseExpiresAt: null, attempt: attempt + 1, deaths };
            await tx.job.update({ where: { id: jobId }, data });
          } else {
            const error = workerDied(job, deaths);
            const data = { state: "FAILED", leaseExpiresAt: null, error: JSON.stringify(error), deaths };
            await tx.job.update({ where: { id: jobId }, data });
            await subjects[kind].failed(tx, job, error);
          }
          jobs.push({ jobId, owner: job.owner, attempt, outcome: deaths < maxAttempts ? "QUEUED" : "FAILED" });
        }
        return jobs;
      });
    },
  };
}

function workerDied({ subjectId, owner }: Lease, deaths: number): RecordedError {
  const times = deaths === 1 ? "its worker process died" : `its worker process died ${deaths} times`;
  return {
    code: "WORKER_DIED",
    message: `${subjectId}: given up because ${times}, the last time in ${owner}`,
    detail: {
      hint: "not an error of the work itself: look for a lack of memory, or a process that was killed",
    },
  };
}
