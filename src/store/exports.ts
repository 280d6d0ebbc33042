/**
 * Exports: rows of the store that a job writes to a file.
 *
 *   QUEUED → RUNNING (claim) → SUCCEEDED (succeed) | FAILED (jobs.fail)
 *   RUNNING → QUEUED (released, or the lease ran out): it begins again
 */
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { newJob } from "./jobs.ts";
import { closeJob } from "./lease.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Export, Lease } from "./rows.ts";
import { exportOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export type Exports = ReturnType<typeof exportStore>;

export function exportStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Writes the export (QUEUED) and its job together. */
    create({ kind, format, spec }: Pick<Export, "kind" | "format" | "spec">): Promise<Export> {
      return database.$transaction(async (tx) => {
        const id = newId("xpt");
        const createdAt = new Date();
        const row = await tx.export.create({
          data: { id, kind, format, spec: JSON.stringify(spec), state: "QUEUED", createdAt },
        });
        await tx.job.create({ data: newJob(newId("job"), "EXPORT", id, createdAt) });
        await rememberResult(tx, id);
        return exportOf(row);
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Export> {
      return exportOf(orNotFound(await database.export.findUnique({ where: { id } }), "export", id));
    },

    /** Newest first. */
    async list(page: PageRequest): Promise<Page<Export>> {
      return pageOf((await database.export.findMany(pageQuery(page, "desc"))).map(exportOf), page);
    },

    /** Of all pages. */
    count(): Promise<number> {
      return database.export.count();
    },

    async byIds(ids: readonly string[]): Promise<Export[]> {
      return (await database.export.findMany({ where: { id: { in: [...ids] } } })).map(exportOf);
    },

    /** SUCCEEDED, and its job DONE. The artifact has been put. Throws ConflictError where the lease is lost. */
    succeed(lease: Lease, result: { readonly rows: number; readonly artifactHash: string }): Promise<void> {
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const data = { ...result, state: "SUCCEEDED", finishedAt: new Date() };
        await tx.export.update({ where: { id: lease.subjectId }, data });
      });
    },
  };
}
