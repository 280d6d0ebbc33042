/**
 * Artifacts: immutable files named by the sha256 of their content, in two levels of folders (`ab/cd/abcd…`). A file
 * reaches its name only whole and on the disk, after its row was written; `sweep` takes away what a crash leaves.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { NotFoundError } from "../errors.ts";
import { readLargeFile, slicesOf } from "../largeFile.ts";
import { artifactOf } from "./rows.ts";
import type { Artifact } from "./rows.ts";
import type { Database } from "./sqlite.ts";

/** Milliseconds after which nobody can be about to refer to a file that nobody refers to. */
const leftoverAge = 600_000;

export type Artifacts = ReturnType<typeof artifactStore>;

export function artifactStore(database: Database, folder: string) {
  /** Where the file of a hash is, or would be. */
  const path = (hash: string): string => join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);

  /** Takes an artifact away unless a run needs it. */
  const collect = (hash: string): Promise<void> =>
    database.$transaction(async (tx) => {
      const users = { OR: [{ checkpointHash: hash }, { trainingStateHash: hash }, { predictionsHash: hash }] };
      if ((await tx.modelRun.count({ where: users })) > 0) return;
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
        for (const made of [dirname(target), dirname(dirname(target)), folder]) await syncFolder(made);
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
      const sha256 = createHash("sha256");
      await pipeline(createReadStream(path(hash)), sha256).catch((error: unknown) => missing(hash, error));
      assertHash(hash, sha256.digest("hex"), path(hash));
    },

    collect,

    /** Takes away what interrupted work has left: what runs made and none refers to, and unfinished files, of some age. */
    async sweep(): Promise<void> {
      const old = new Date(Date.now() - leftoverAge);
      const leftovers = await database.$queryRaw<{ hash: string }[]>`
        SELECT "hash" FROM "Artifact"
        WHERE "kind" IN ('training-state', 'checkpoint', 'predictions') AND "createdAt" < ${old}
          AND "hash" NOT IN (SELECT "checkpointHash" FROM "ModelRun" WHERE "checkpointHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "trainingStateHash" FROM "ModelRun" WHERE "trainingStateHash" IS NOT NULL)
          AND "hash" NOT IN (SELECT "predictionsHash" FROM "ModelRun" WHERE "predictionsHash" IS NOT NULL)`;
      for (const { hash } of leftovers) await collect(hash);
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

/** Writes and fsyncs `target`, hashing on the way. */
async function writeDurably(content: Uint8Array | string, target: string): Promise<{ hash: string; bytes: bigint }> {
  const sha256 = createHash("sha256");
  let bytes = 0;
  const source = typeof content === "string" ? createReadStream(content) : slicesOf(content);
  const counted = async function* (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    for await (const chunk of chunks) {
      sha256.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  };
  await pipeline(source, counted, createWriteStream(target, { flags: "wx", flush: true }));
  return { hash: sha256.digest("hex"), bytes: BigInt(bytes) };
}

/** Makes a rename in the folder outlive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
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
