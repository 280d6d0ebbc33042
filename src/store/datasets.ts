/** Datasets, from the request to import one to the version that is ready, with the size of each cell. */
import type { IdPrefix } from "./ids.ts";
import { orNotFound } from "./found.ts";
import { newJob } from "./jobs.ts";
import { closeJob } from "./lease.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Dataset, DatasetCount, DatasetStatus, Lease } from "./rows.ts";
import { countOf, datasetOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export interface NewDataset {
  readonly name: string;
  readonly sourceFile: string;
  readonly spec: unknown;
  /** Of the source's bytes and the spec, where it is known before the import; default null. */
  readonly contentHash?: string | null;
}

export interface DatasetFilter {
  readonly name?: string;
  readonly status?: DatasetStatus;
}

/** What an import found and made. */
export interface ImportedDataset {
  readonly contentHash: string;
  readonly rows: number;
  readonly manifest: unknown;
  readonly counts: readonly Omit<DatasetCount, "datasetId">[];
}

export type Datasets = ReturnType<typeof datasetStore>;

export function datasetStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /**
     * Writes the dataset (IMPORTING) and its import job together. Where the name already has a dataset with this content
     * hash that has not failed, nothing is written and that one is returned with `created` false.
     */
    create({
      name,
      sourceFile,
      spec,
      contentHash = null,
    }: NewDataset): Promise<{ dataset: Dataset; created: boolean }> {
      return database.$transaction(async (tx) => {
        const same =
          contentHash === null
            ? null
            : await tx.dataset.findFirst({ where: { name, contentHash, status: { not: "FAILED" } } });
        if (same !== null) return { dataset: datasetOf(same), created: false };
        const createdAt = new Date();
        const id = newId("ds");
        const dataset = await tx.dataset.create({
          data: { id, name, contentHash, sourceFile, spec: JSON.stringify(spec), status: "IMPORTING", createdAt },
        });
        await tx.job.create({ data: newJob(newId("job"), "IMPORT_DATASET", id, createdAt) });
        return { dataset: datasetOf(dataset), created: true };
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Dataset> {
      return datasetOf(orNotFound(await database.dataset.findUnique({ where: { id } }), "dataset", id));
    },

    /** Newest first. */
    async list({ name, status, ...page }: PageRequest & DatasetFilter): Promise<Page<Dataset>> {
      const query = pageQuery(page, "desc");
      const rows = await database.dataset.findMany({ ...query, where: { ...query.where, name, status } });
      return pageOf(rows.map(datasetOf), page);
    },

    async byIds(ids: readonly string[]): Promise<Dataset[]> {
      return (await database.dataset.findMany({ where: { id: { in: [...ids] } } })).map(datasetOf);
    },

    /** Those that are ready or being imported, newest first. */
    async byContentHash(contentHash: string): Promise<Dataset[]> {
      const rows = await database.dataset.findMany({
        where: { contentHash, status: { not: "FAILED" } },
        orderBy: { id: "desc" },
      });
      return rows.map(datasetOf);
    },

    async countsByIds(datasetIds: readonly string[]): Promise<DatasetCount[]> {
      const rows = await database.datasetCount.findMany({ where: { datasetId: { in: [...datasetIds] } } });
      return rows.map(countOf);
    },

    /**
     * Ends an import well: READY, with the next version of its name, and the job DONE. Throws ConflictError where the
     * lease is lost. (An import ends badly through `jobs.fail`.)
     */
    markReady(lease: Lease, { contentHash, rows, manifest, counts }: ImportedDataset): Promise<Dataset> {
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const id = lease.subjectId;
        const { name } = await tx.dataset.findUniqueOrThrow({ where: { id } });
        const last = await tx.dataset.aggregate({ where: { name }, _max: { version: true } });
        const version = (last._max.version ?? 0) + 1;
        await tx.datasetCount.createMany({ data: counts.map((count) => ({ ...count, datasetId: id })) });
        const dataset = await tx.dataset.update({
          where: { id },
          data: {
            version,
            contentHash,
            rows,
            manifest: JSON.stringify(manifest),
            status: "READY",
            readyAt: new Date(),
          },
        });
        return datasetOf(dataset);
      });
    },
  };
}
