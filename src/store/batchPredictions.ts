/**
 * Batch predictions: the rows of a file, predicted by a job part by part, so that another worker goes on after the last
 * part that was recorded.
 *
 *   QUEUED → RUNNING (claim) → SUCCEEDED (succeed) | FAILED (jobs.fail)
 *   RUNNING → QUEUED (released, or the lease ran out)      QUEUED, RUNNING → CANCELLED (cancel)
 */
import { ConflictError } from "../errors.ts";
import { Prisma } from "./client/client.ts";
import type { BatchPredictionModel } from "./client/models.ts";
import { endBatchInside } from "./endBatch.ts";
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { newJob } from "./jobs.ts";
import { assertHeld, closeJob } from "./lease.ts";
import { assertNotDeleted } from "./notDeleted.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { BatchPrediction, Lease } from "./rows.ts";
import { batchPredictionOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export interface NewPart {
  /** An artifact that has been put. */
  readonly artifactHash: string;
  readonly rows: number;
  /** Of this part: per column the rows whose value training did not keep. */
  readonly unknown: Readonly<Record<string, number>>;
}

export interface BatchFilter {
  /** Default: of all runs. */
  readonly runId?: string;
}

export type BatchPredictions = ReturnType<typeof batchPredictionStore>;

export function batchPredictionStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Writes it (QUEUED) and its job together. The run must exist. */
    create(batch: Pick<BatchPrediction, "runId" | "sourceFile" | "sourceHash" | "format">): Promise<BatchPrediction> {
      return database.$transaction(async (tx) => {
        const run = await tx.modelRun.findUnique({ where: { id: batch.runId } });
        assertNotDeleted(orNotFound(run, "run", batch.runId), "run");
        const id = newId("bat");
        const createdAt = new Date();
        const row = await tx.batchPrediction.create({ data: { ...batch, id, state: "QUEUED", createdAt } });
        await tx.job.create({ data: newJob(newId("job"), "PREDICT_BATCH", id, createdAt) });
        await rememberResult(tx, id);
        return batchPredictionOf(row);
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<BatchPrediction> {
      const row = await database.batchPrediction.findUnique({ where: { id } });
      return batchPredictionOf(orNotFound(row, "batch prediction", id));
    },

    /** Newest first. */
    async list({ runId, ...page }: PageRequest & BatchFilter): Promise<Page<BatchPrediction>> {
      const query = pageQuery(page, "desc");
      const rows = await database.batchPrediction.findMany({ ...query, where: { ...query.where, runId } });
      return pageOf(rows.map(batchPredictionOf), page);
    },

    /** A page of each run, newest first; of each up to one more than asked for, which tells that there is a next page. */
    async pagesByRunIds(runIds: readonly string[], { first, after }: PageRequest): Promise<BatchPrediction[]> {
      if (runIds.length === 0) return [];
      const beyond = after === undefined ? Prisma.empty : Prisma.sql`AND own."id" < ${after}`;
      const rows = await database.$queryRaw<BatchPredictionModel[]>`
        SELECT batch.* FROM "ModelRun" AS run JOIN "BatchPrediction" AS batch ON batch."id" IN (
          SELECT own."id" FROM "BatchPrediction" AS own WHERE own."runId" = run."id" ${beyond}
          ORDER BY own."id" DESC LIMIT ${first + 1}
        )
        WHERE run."id" IN (${Prisma.join([...runIds])})
        ORDER BY batch."id" DESC`;
      return rows.map(batchPredictionOf);
    },

    /** Runs that have none are left out. */
    async countsByRunIds(runIds: readonly string[]): Promise<{ runId: string; count: number }[]> {
      const where = { runId: { in: [...runIds] } };
      const rows = await database.batchPrediction.groupBy({ by: ["runId"], where, _count: true });
      return rows.map(({ runId, _count: count }) => ({ runId, count }));
    },

    /** Of all pages. */
    count({ runId }: BatchFilter): Promise<number> {
      return database.batchPrediction.count({ where: { runId } });
    },

    async byIds(ids: readonly string[]): Promise<BatchPrediction[]> {
      return (await database.batchPrediction.findMany({ where: { id: { in: [...ids] } } })).map(batchPredictionOf);
    },

    /** Writes how many rows there are to be done. Throws ConflictError where the lease is lost. */
    recordTotal(lease: Lease, rowsTotal: number): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        await tx.batchPrediction.update({ where: { id: lease.subjectId }, data: { rowsTotal } });
      });
    },

    /** The next rows in the order of the file are done. Throws ConflictError where the lease is lost. */
    recordPart(lease: Lease, { artifactHash, rows, unknown }: NewPart): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const { subjectId: id, jobId } = lease;
        const number = (await tx.batchPart.count({ where: { batchId: id } })) + 1;
        await tx.batchPart.create({ data: { batchId: id, number, artifactHash } });
        const before = batchPredictionOf(await tx.batchPrediction.findUniqueOrThrow({ where: { id } }));
        await tx.batchPrediction.update({
          where: { id },
          data: { rowsDone: before.rowsDone + rows, unknown: JSON.stringify(sums(before.unknown, unknown)) },
        });
        await tx.job.update({ where: { id: jobId }, data: { deaths: 0 } });
      });
    },

    /** Hashes of the parts that are done, in the order of the rows. */
    async parts(id: string): Promise<string[]> {
      const rows = await database.batchPart.findMany({ where: { batchId: id }, orderBy: { number: "asc" } });
      return rows.map(({ artifactHash }) => artifactHash);
    },

    /** SUCCEEDED, and its job DONE. The artifact has been put. Throws ConflictError where the lease is lost. */
    succeed(lease: Lease, artifactHash: string): Promise<void> {
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const { subjectId: id } = lease;
        const data = { state: "SUCCEEDED", artifactHash, finishedAt: new Date() };
        await tx.batchPrediction.update({ where: { id }, data });
        await tx.batchPart.deleteMany({ where: { batchId: id } });
      });
    },

    /**
     * Ends one that has not ended yet: CANCELLED. The worker that is at it, if there is one, loses its lease with that.
     * Throws NotFoundError, or ConflictError where it has ended.
     */
    cancel(id: string): Promise<BatchPrediction> {
      return database.$transaction(async (tx) => {
        const find = async () =>
          batchPredictionOf(orNotFound(await tx.batchPrediction.findUnique({ where: { id } }), "batch prediction", id));
        const { state } = await find();
        if (state !== "QUEUED" && state !== "RUNNING") throw hasEnded(id, state);
        await endBatchInside(tx, id, { state: "CANCELLED" });
        await tx.job.updateMany({ where: { subjectId: id }, data: { state: "DONE", leaseExpiresAt: null } });
        return find();
      });
    },
  };
}

function sums(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((column) => [column, (a[column] ?? 0) + (b[column] ?? 0)]),
  );
}

function hasEnded(id: string, state: string): ConflictError {
  const expected = "a batch prediction in state QUEUED or RUNNING";
  return new ConflictError(`batch prediction ${id}: expected ${expected}, but it is ${state}`, {
    field: "id",
    expected,
    received: state,
  });
}
