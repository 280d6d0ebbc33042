/**
 * Artifacts: immutable files named by the sha256 of their content, in two levels of folders (`ab/cd/abcd…`). A file
 * reaches its name only whole and on the disk, and its row is written after that; a crash before leaves a temporary.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { NotFoundError } from "../errors.ts";
import { artifactOf } from "./rows.ts";
import type { Artifact } from "./rows.ts";
import type { Database } from "./sqlite.ts";

/** Milliseconds after which nobody can be about to refer to a file that nobody refers to. */
const leftoverAge = 600_000;

export type Artifacts = ReturnType<typeof artifactStore>;

export function artifactStore(database: Database, folder: string) {
  /** Where the file of a hash is, or would be. */
  const path = (hash: string): string => join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);

  /** Takes an artifact away unless a run needs it. A crash in the middle leaves a file that nothing refers to. */
  const collect = async (hash: string): Promise<void> => {
    const isFree = await database.$transaction(async (tx) => {
      const users = { OR: [{ checkpointHash: hash }, { trainingStateHash: hash }, { predictionsHash: hash }] };
      if ((await tx.modelRun.count({ where: users })) > 0) return false;
      return (await tx.artifact.deleteMany({ where: { hash } })).count > 0;
    });
    if (isFree) await rm(path(hash), { force: true });
  };

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
        await mkdir(dirname(target), { recursive: true });
        await rename(temporary, target);
        for (const made of [dirname(target), dirname(dirname(target)), folder]) await syncFolder(made);
        const row = { hash, bytes, kind, createdAt: new Date() };
        return artifactOf(await database.artifact.upsert({ where: { hash }, create: row, update: {} }));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },

    /** The whole content. Throws NotFoundError, or an Error where the file is damaged. */
    async read(hash: string): Promise<Uint8Array> {
      const bytes = await readFile(path(hash)).catch((error: unknown) => missing(hash, error));
      assertHash(hash, createHash("sha256").update(bytes).digest("hex"), path(hash));
      return bytes;
    },

    /** Checks a file that is to be used by its path, without holding it in memory. Throws as `read`. */
    async verify(hash: string): Promise<void> {
      const sha256 = createHash("sha256");
      await pipeline(createReadStream(path(hash)), sha256).catch((error: unknown) => missing(hash, error));
      assertHash(hash, sha256.digest("hex"), path(hash));
    },

    collect,

    /** Takes away what interrupted work has left: training states no run refers to, and unfinished files, of some age. */
    async sweep(): Promise<void> {
      const old = new Date(Date.now() - leftoverAge);
      const states = await database.artifact.findMany({ where: { kind: "training-state", createdAt: { lt: old } } });
      const needed = await database.modelRun.findMany({
        where: { OR: [{ trainingStateHash: { not: null } }, { state: { in: ["FAILED", "CANCELLED"] } }] },
        select: { trainingStateHash: true, checkpointHash: true },
      });
      const hashes = new Set(
        needed.flatMap(({ trainingStateHash, checkpointHash }) => [trainingStateHash, checkpointHash]),
      );
      for (const { hash } of states) if (!hashes.has(hash)) await collect(hash);
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
  const source = typeof content === "string" ? createReadStream(content) : [content];
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
