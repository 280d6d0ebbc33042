/**
 * Exports of models: the model of a run that a job writes to a file for other programs.
 *
 *   QUEUED → RUNNING (claim) → SUCCEEDED (succeed) | FAILED (jobs.fail)
 *   RUNNING → QUEUED (released, or the lease ran out): it begins again
 */
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { newJob } from "./jobs.ts";
import { closeJob } from "./lease.ts";
import { assertNotDeleted } from "./notDeleted.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Lease, ModelExport } from "./rows.ts";
import { modelExportOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export interface ModelExportFilter {
  /** Default: of all runs. */
  readonly runId?: string;
}

export type ModelExports = ReturnType<typeof modelExportStore>;

export function modelExportStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Writes the export (QUEUED) and its job together. The run must exist. */
    create(
      wanted: Pick<ModelExport, "runId" | "versionId" | "format" | "scenario" | "isQuantised">,
    ): Promise<ModelExport> {
      return database.$transaction(async (tx) => {
        const run = await tx.modelRun.findUnique({ where: { id: wanted.runId } });
        assertNotDeleted(orNotFound(run, "run", wanted.runId), "run");
        const id = newId("mxp");
        const createdAt = new Date();
        const row = await tx.modelExport.create({ data: { ...wanted, id, state: "QUEUED", createdAt } });
        await tx.job.create({ data: newJob(newId("job"), "EXPORT_MODEL", id, createdAt) });
        await rememberResult(tx, id);
        return modelExportOf(row);
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<ModelExport> {
      return modelExportOf(orNotFound(await database.modelExport.findUnique({ where: { id } }), "model export", id));
    },

    /** Newest first. */
    async list({ runId, ...page }: PageRequest & ModelExportFilter): Promise<Page<ModelExport>> {
      const query = pageQuery(page, "desc");
      const rows = await database.modelExport.findMany({ ...query, where: { ...query.where, runId } });
      return pageOf(rows.map(modelExportOf), page);
    },

    /** Of all pages. */
    count({ runId }: ModelExportFilter): Promise<number> {
      return database.modelExport.count({ where: { runId } });
    },

    async byIds(ids: readonly string[]): Promise<ModelExport[]> {
      return (await database.modelExport.findMany({ where: { id: { in: [...ids] } } })).map(modelExportOf);
    },

    /** SUCCEEDED, and its job DONE. The artifact has been put. Throws ConflictError where the lease is lost. */
    succeed(lease: Lease, result: { readonly artifactHash: string; readonly record: unknown }): Promise<void> {
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const { artifactHash, record } = result;
        const data = { artifactHash, record: JSON.stringify(record), state: "SUCCEEDED", finishedAt: new Date() };
        await tx.modelExport.update({ where: { id: lease.subjectId }, data });
      });
    },
  };
}
