/** Runs of a model: searches, prunes and plain trainings, from the request to the checkpoint. */
import { ConflictError } from "../errors.ts";
import { orNotFound } from "./found.ts";
import type { IdPrefix } from "./ids.ts";
import { newJob } from "./jobs.ts";
import { closeJob, leaseLost } from "./lease.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Lease, Run, RunKind, RunState } from "./rows.ts";
import { runOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export interface NewRun {
  readonly kind: RunKind;
  readonly datasetId: string;
  /** The search a PRUNE starts from; default none. */
  readonly parentRunId?: string;
  readonly backboneName: string;
  readonly backboneConfig: unknown;
  readonly head: unknown;
  readonly hyperParameters: unknown;
  readonly preset?: string;
  /** A 32-bit signed integer. */
  readonly seed: number;
  readonly engine: string;
  /** PRUNE only. */
  readonly pruneThreshold?: number;
}

export interface RunFilter {
  readonly states?: readonly RunState[];
  readonly kind?: RunKind;
  readonly datasetId?: string;
  readonly backboneName?: string;
}

export type Runs = ReturnType<typeof runStore>;

export function runStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Writes the run (QUEUED) and its job together. The dataset and the parent run must exist. */
    create({ backboneConfig, head, hyperParameters, ...columns }: NewRun): Promise<Run> {
      return database.$transaction(async (tx) => {
        const createdAt = new Date();
        const id = newId("run");
        const run = await tx.modelRun.create({
          data: {
            ...columns,
            id,
            backboneConfig: JSON.stringify(backboneConfig),
            head: JSON.stringify(head),
            hyperParameters: JSON.stringify(hyperParameters),
            state: "QUEUED",
            attempt: 1,
            createdAt,
          },
        });
        await tx.job.create({ data: newJob(newId("job"), "TRAIN", id, createdAt) });
        return runOf(run);
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Run> {
      return runOf(orNotFound(await database.modelRun.findUnique({ where: { id } }), "run", id));
    },

    /** Newest first. */
    async list({ states, kind, datasetId, backboneName, ...page }: PageRequest & RunFilter): Promise<Page<Run>> {
      const query = pageQuery(page, "desc");
      const state = states === undefined ? undefined : { in: [...states] };
      const rows = await database.modelRun.findMany({
        ...query,
        where: { ...query.where, state, kind, datasetId, backboneName },
      });
      return pageOf(rows.map(runOf), page);
    },

    async byIds(ids: readonly string[]): Promise<Run[]> {
      return (await database.modelRun.findMany({ where: { id: { in: [...ids] } } })).map(runOf);
    },

    /** Newest first. */
    async byDatasetIds(datasetIds: readonly string[]): Promise<Run[]> {
      const where = { datasetId: { in: [...datasetIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** The prunes of searches, newest first. */
    async byParentIds(parentRunIds: readonly string[]): Promise<Run[]> {
      const where = { parentRunId: { in: [...parentRunIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** Throws ConflictError where the lease is lost. */
    async recordProgress(lease: Lease, progress: unknown): Promise<void> {
      const { subjectId: id, owner: leaseOwner, attempt } = lease;
      const written = await database.modelRun.updateMany({
        where: { id, state: "RUNNING", leaseOwner, attempt },
        data: { progress: JSON.stringify(progress) },
      });
      if (written.count === 0) throw leaseLost(lease);
    },

    /**
     * Ends a run well: SUCCEEDED, and its job DONE. The checkpoint is an artifact that has been put. Throws ConflictError
     * where the lease is lost. (A run ends badly through `jobs.fail`.)
     */
    succeed(lease: Lease, { checkpointHash, timings }: { checkpointHash: string; timings: unknown }): Promise<Run> {
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const run = await tx.modelRun.update({
          where: { id: lease.subjectId },
          data: {
            state: "SUCCEEDED",
            checkpointHash,
            timings: JSON.stringify(timings),
            leaseOwner: null,
            leaseExpiresAt: null,
            finishedAt: new Date(),
          },
        });
        return runOf(run);
      });
    },

    /**
     * Ends a run that has not ended yet: CANCELLED. The worker that trains it, if there is one, loses its lease with that:
     * what it still writes is refused, and its heartbeat. Throws NotFoundError, or ConflictError where the run has ended.
     */
    cancel(id: string): Promise<Run> {
      return database.$transaction(async (tx) => {
        const cancelled = await tx.modelRun.updateMany({
          where: { id, state: { in: ["QUEUED", "RUNNING"] } },
          data: { state: "CANCELLED", leaseOwner: null, leaseExpiresAt: null, finishedAt: new Date() },
        });
        const run = runOf(orNotFound(await tx.modelRun.findUnique({ where: { id } }), "run", id));
        if (cancelled.count === 0) {
          throw new ConflictError(`run ${id}: expected a run that has not ended, but it is ${run.state}`, {
            field: "id",
            expected: "a run in state QUEUED or RUNNING",
            received: run.state,
          });
        }
        await tx.job.updateMany({ where: { subjectId: id }, data: { state: "DONE", leaseExpiresAt: null } });
        return run;
      });
    },
  };
}
