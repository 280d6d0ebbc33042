/**
 * Makes an installation of a backup, in a place where there is none. Everything is checked against its hash before anything
 * gets its name, and the database gets it last.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConflictError } from "../errors.ts";
import { artifactsName, databaseName, readManifest } from "./backupManifest.ts";
import type { BackupManifest } from "./backupManifest.ts";
import { syncToDisk, writeDurably } from "./durableFile.ts";
import { assertKnown, ownMigrationsFolder } from "./migrate.ts";
import { connect } from "./sqlite.ts";
import type { StoreOptions } from "./store.ts";

/**
 * Throws InvalidInputError for what is no whole backup, ConflictError where there is an installation already, and Error where a
 * file is damaged or missing, or the backup was made by a newer program; then nothing has been made.
 */
export async function restore(
  folder: string,
  { databaseFile, artifactsFolder }: StoreOptions,
): Promise<BackupManifest> {
  const manifest = await readManifest(folder);
  await assertEmpty(databaseFile, artifactsFolder);
  const newDatabase = `${databaseFile}.${randomUUID()}.part`;
  const newArtifacts = `${artifactsFolder}.${randomUUID()}.part`;
  try {
    await mkdir(dirname(databaseFile), { recursive: true });
    await mkdir(newArtifacts, { recursive: true });
    await copyChecked(join(folder, databaseName), newDatabase, manifest.database.sha256);
    await copyArtifacts(join(folder, artifactsName), newArtifacts, newDatabase, manifest);
    // The first to open it brings it to its schema; a newer program's is refused here.
    assertKnown(newDatabase, ownMigrationsFolder());
    await rename(newArtifacts, artifactsFolder);
    await rename(newDatabase, databaseFile);
    for (const made of [dirname(artifactsFolder), dirname(databaseFile)]) await syncToDisk(made);
    return manifest;
  } catch (error) {
    await rm(newDatabase, { force: true });
    await rm(newArtifacts, { recursive: true, force: true });
    throw error;
  }
}

async function assertEmpty(databaseFile: string, artifactsFolder: string): Promise<void> {
  for (const folder of [dirname(databaseFile), artifactsFolder]) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    if (names.length === 0) continue;
    const expected = "a data folder without a database and without artifacts";
    throw new ConflictError(`restore: expected ${expected}, but ${folder} is not empty`, {
      expected,
      received: folder,
    });
  }
}

async function copyArtifacts(from: string, to: string, databaseFile: string, manifest: BackupManifest): Promise<void> {
  const database = connect(databaseFile);
  let count = 0;
  try {
    for (const { hash } of await database.artifact.findMany({ select: { hash: true } })) {
      const inside = join(hash.slice(0, 2), hash.slice(2, 4));
      await mkdir(join(to, inside), { recursive: true });
      await copyChecked(join(from, inside, hash), join(to, inside, hash), hash);
      await syncToDisk(join(to, inside));
      count++;
    }
  } finally {
    await database.$disconnect();
  }
  if (count !== manifest.artifacts.count) {
    throw new Error(`restore: expected ${manifest.artifacts.count} artifacts, but the database lists ${count}`);
  }
}

async function copyChecked(from: string, to: string, expected: string): Promise<void> {
  const { hash } = await writeDurably(from, to);
  if (hash !== expected) {
    throw new Error(`restore: expected the sha256 ${expected}, but the file is damaged: ${from}`);
  }
}
