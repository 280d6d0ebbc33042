/**
 * Artifacts: immutable files named by the sha256 of their content, in two levels of folders (`ab/cd/abcd…`). A file
 * reaches its name only whole and on the disk, after its row was written; `sweep` takes away what a crash leaves.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NotFoundError } from "../errors.ts";
import { readLargeFile, slicesOf } from "../largeFile.ts";
import { artifactUsers } from "./artifactUsers.ts";
import { hashOfFile, syncToDisk, writeDurably } from "./durableFile.ts";
import { inChunks } from "./inChunks.ts";
import { areKept } from "./keptArtifacts.ts";
import { recordManifestFiles } from "./manifestFiles.ts";
import { forgetOldResults } from "./oldResults.ts";
import { artifactOf } from "./rows.ts";
import type { Artifact } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

/** Milliseconds after which nobody can be about to refer to a file that nobody refers to. */
const leftoverAge = 600_000;

export type Artifacts = ReturnType<typeof artifactStore>;

export function artifactStore(database: Database, folder: string) {
  /** Where the file of a hash is, or would be. */
  const path = (hash: string): string => join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);

  /**
   * Takes an artifact away that was put at `createdAt`, unless something needs it, a backup is being made, or it was put
   * again since: whoever did is about to refer to it. What is spared so is left to `sweep`.
   */
  const collect = ({ hash, createdAt }: Pick<Artifact, "hash" | "createdAt">): Promise<void> =>
    database.$transaction(async (tx) => {
      if ((await artifactUsers(tx, [hash])).length > 0 || (await areKept(folder))) return;
      const where = { hash, createdAt: { lte: createdAt }, NOT: await partsOfImports(tx) };
      if ((await tx.artifact.count({ where })) === 0) return;
      await rm(path(hash), { force: true });
      await tx.artifact.deleteMany({ where: { hash } });
    });

  return {
    path,

    /**
     * Stores bytes, or a copy of the file at a path. `kind` is a word for people, for example `checkpoint`. Content that
     * is stored already is written again, which repairs a damaged file.
     */
    async put(content: Uint8Array | string, kind: string): Promise<Artifact> {
      const temporary = join(folder, "temporary", randomUUID());
      await mkdir(dirname(temporary), { recursive: true });
      try {
        const { hash, bytes } = await writeDurably(content, temporary);
        const target = path(hash);
        // The row comes first, so that no file is without one and `sweep` finds what nothing refers to.
        const row = { hash, bytes, kind, createdAt: new Date() };
        const update = { createdAt: row.createdAt };
        const stored = await database.artifact.upsert({ where: { hash }, create: row, update });
        await mkdir(dirname(target), { recursive: true });
        await rename(temporary, target);
        for (const made of [dirname(target), dirname(dirname(target)), folder]) await syncToDisk(made);
        return artifactOf(stored);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },

    /** The whole content. Throws NotFoundError, or an Error where the file is damaged. */
    async read(hash: string): Promise<Uint8Array> {
      const bytes = await readLargeFile(path(hash)).catch((error: unknown) => missing(hash, error));
      const sha256 = createHash("sha256");
      for (const slice of slicesOf(bytes)) sha256.update(slice);
      assertHash(hash, sha256.digest("hex"), path(hash));
      return bytes;
    },

    /** Checks a file that is to be used by its path, without holding it in memory. Throws as `read`. */
    async verify(hash: string): Promise<void> {
      assertHash(hash, await hashOfFile(path(hash)).catch((error: unknown) => missing(hash, error)), path(hash));
    },

    collect,

    /**
     * Takes away those that nothing needs, and tells how many that are and how long they were. While a worker is at work, what
     * was put in the last ten minutes is left to `sweep`, and while it imports all files of datasets: it may be about to refer
     * to them. While a backup is made, all is.
     */
    async release(hashes: readonly string[]): Promise<{ readonly files: number; readonly bytes: number }> {
      let [files, bytes] = [0, 0];
      for (const some of inChunks(hashes, 200)) {
        const gone = await database.$transaction(async (tx) => {
          await recordManifestFiles(tx);
          const used = new Set((await artifactUsers(tx, some)).map(({ hash }) => hash));
          const isAtWork = (await tx.job.count({ where: { state: "RUNNING" } })) > 0;
          const createdAt = isAtWork ? { lt: new Date(Date.now() - leftoverAge) } : undefined;
          const free = (await areKept(folder)) ? [] : some.filter((hash) => !used.has(hash));
          const where = { hash: { in: free }, createdAt, NOT: await partsOfImports(tx) };
          const rows = await tx.artifact.findMany({ where });
          await Promise.all(rows.map(({ hash }) => rm(path(hash), { force: true })));
          await tx.artifact.deleteMany({ where: { hash: { in: rows.map(({ hash }) => hash) } } });
          return rows.map(artifactOf);
        });
        files += gone.length;
        bytes += gone.reduce((sum, artifact) => sum + artifact.bytes, 0);
      }
      return { files, bytes };
    },

    /**
     * Takes away what interrupted work has left: artifacts that nothing refers to, and unfinished files, of some age; and the
     * files of exports and batch predictions whose time is over.
     */
    async sweep(): Promise<void> {
      await forgetOldResults(database);
      const old = new Date(Date.now() - leftoverAge);
      const leftovers = await database.$queryRaw<{ hash: string }[]>`
        SELECT "hash" FROM "Artifact"
        WHERE "createdAt" < ${old}
          AND ("kind" IN ('training-state', 'checkpoint', 'predictions', 'export', 'model-export', 'batch', 'batch-part')
            -- As partsOfImports below.
            OR "kind" = 'dataset' AND NOT EXISTS (
              SELECT 1 FROM "Job" WHERE "kind" = 'IMPORT_DATASET' AND "state" = 'RUNNING'))
          AND "hash" NOT IN (SELECT "checkpointHash" FROM "ModelRun" WHERE "checkpointHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "trainingStateHash" FROM "ModelRun" WHERE "trainingStateHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "predictionsHash" FROM "ModelRun" WHERE "predictionsHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "artifactHash" FROM "DatasetArtifact")
          AND "hash" NOT IN (SELECT "artifactHash" FROM "Export" WHERE "artifactHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "artifactHash" FROM "ModelExport" WHERE "artifactHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "artifactHash" FROM "BatchPrediction" WHERE "artifactHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "artifactHash" FROM "BatchPart")`;
      // What a dataset needs that was READY before they were looked for is found by `collect` now.
      if (leftovers.length > 0) await recordManifestFiles(database);
      for (const { hash } of leftovers) await collect({ hash, createdAt: old });
      const temporary = join(folder, "temporary");
      for (const name of await readdir(temporary).catch(() => [])) {
        const file = join(temporary, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
        if (mtimeMs < old.getTime()) await rm(file, { force: true });
      }
    },

    async byHashes(hashes: readonly string[]): Promise<Artifact[]> {
      return (await database.artifact.findMany({ where: { hash: { in: [...hashes] } } })).map(artifactOf);
    },
  };
}

/** Which artifacts may belong to an import: it puts several, one after the other, before it refers to any of them. */
async function partsOfImports(tx: DatabaseTransaction): Promise<{ kind: string } | undefined> {
  const running = await tx.job.count({ where: { kind: "IMPORT_DATASET", state: "RUNNING" } });
  return running > 0 ? { kind: "dataset" } : undefined;
}

function assertHash(expected: string, actual: string, path: string): void {
  if (actual === expected) return;
  throw new Error(
    `artifact ${expected}: the file is damaged: expected this sha256, but the content has ${actual} (${path})`,
  );
}

function missing(hash: string, error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  throw new NotFoundError(`artifact ${hash}: expected a file in the artifacts folder, but there is none`, {
    field: "hash",
    received: hash,
  });
}
