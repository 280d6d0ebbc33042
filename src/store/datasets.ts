/** Datasets, from the request to import one to the version that is ready, with the size of each cell. */
import { datasetLists } from "./datasetList.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { orNotFound } from "./found.ts";
import { newJob } from "./jobs.ts";
import { closeJob } from "./lease.ts";
import { assertNotDeleted } from "./notDeleted.ts";
import { announce } from "./outbox.ts";
import type { Dataset, DatasetCount, Lease } from "./rows.ts";
import { countOf, datasetOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export interface NewDataset {
  readonly name: string;
  readonly sourceFile: string;
  readonly spec: unknown;
  /** Of the source's bytes and the spec, where it is known before the import; default null. */
  readonly contentHash?: string | null;
  /** What the spec names: all of it must be there and not deleted; default: none. */
  readonly scenarioKeys?: readonly string[];
  readonly taskKeys?: readonly string[];
}

/** What an import found and made. */
export interface ImportedDataset {
  readonly contentHash: string;
  readonly rows: number;
  readonly manifest: unknown;
  /** Of the artifacts it consists of; they have been put. */
  readonly artifactHashes: readonly string[];
  readonly counts: readonly Omit<DatasetCount, "datasetId">[];
}

export type Datasets = ReturnType<typeof datasetStore>;

export function datasetStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...datasetLists(database),

    /**
     * Writes the dataset (IMPORTING) and its import job together. Where the name already has a dataset with this content
     * hash that has not failed, that one is returned with `created` false; where it was deleted, it is restored. Throws
     * NotFoundError or ConflictError where a scenario or task was taken away meanwhile.
     */
    create({
      name,
      sourceFile,
      spec,
      contentHash = null,
      scenarioKeys = [],
      taskKeys = [],
    }: NewDataset): Promise<{ dataset: Dataset; created: boolean }> {
      return database.$transaction(async (tx) => {
        for (const key of scenarioKeys) {
          assertNotDeleted(orNotFound(await tx.scenario.findUnique({ where: { key } }), "scenario", key), "scenario");
        }
        for (const key of taskKeys) {
          assertNotDeleted(orNotFound(await tx.task.findUnique({ where: { key } }), "task", key), "task");
        }
        const same =
          contentHash === null
            ? null
            : await tx.dataset.findFirst({ where: { name, contentHash, status: { not: "FAILED" } } });
        if (same !== null) {
          const { id, deletedAt } = same;
          const kept =
            deletedAt === null ? same : await tx.dataset.update({ where: { id }, data: { deletedAt: null } });
          return { dataset: datasetOf(kept), created: false };
        }
        const createdAt = new Date();
        const id = newId("ds");
        const dataset = await tx.dataset.create({
          data: { id, name, contentHash, sourceFile, spec: JSON.stringify(spec), status: "IMPORTING", createdAt },
        });
        await tx.job.create({ data: newJob(newId("job"), "IMPORT_DATASET", id, createdAt) });
        await rememberResult(tx, id);
        return { dataset: datasetOf(dataset), created: true };
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Dataset> {
      return datasetOf(orNotFound(await database.dataset.findUnique({ where: { id } }), "dataset", id));
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
    markReady(lease: Lease, imported: ImportedDataset): Promise<Dataset> {
      const { contentHash, rows, manifest, artifactHashes, counts } = imported;
      return database.$transaction(async (tx) => {
        await closeJob(tx, lease);
        const id = lease.subjectId;
        const { name } = await tx.dataset.findUniqueOrThrow({ where: { id } });
        const last = await tx.dataset.aggregate({ where: { name }, _max: { version: true } });
        const version = (last._max.version ?? 0) + 1;
        const files = artifactHashes.map((artifactHash) => ({ datasetId: id, artifactHash }));
        await tx.datasetArtifact.createMany({ data: files });
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
        await announce(tx, "dataset.ready", id, { dataset: id, name, version, rows, status: "READY" });
        return datasetOf(dataset);
      });
    },
  };
}
