/**
 * Copies an installation while servers and workers go on writing: the database as it was at one moment, and every artifact it
 * refers to. Whole or not there: it gets its name when everything is in it and on the disk.
 */
import { randomUUID } from "node:crypto";
import { copyFile, link, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import Connection from "libsql";
import { ConflictError } from "../errors.ts";
import { artifactUsers } from "./artifactUsers.ts";
import { artifactsName, databaseName, manifestName } from "./backupManifest.ts";
import type { BackupManifest } from "./backupManifest.ts";
import { whenFree, shortWaitMs } from "./busy.ts";
import { hashOfFile, syncToDisk } from "./durableFile.ts";
import { keepArtifacts } from "./keptArtifacts.ts";
import type { Keeping } from "./keptArtifacts.ts";
import { connect } from "./sqlite.ts";
import type { Database } from "./sqlite.ts";
import type { StoreOptions } from "./store.ts";

export interface BackupOptions extends StoreOptions {
  /** Version of this program. */
  readonly program: string;
}

/** Artifacts of one statement. */
const pageSize = 300;

/**
 * Makes the folder, which must not be there, or empty. On the file system of the installation artifacts are linked, which takes
 * no space; each is read once, so that no damaged one gets into a backup. SQLite copies in one piece and holds this thread
 * meanwhile (about 4 s for 1 GB): for a process of its own. Throws ConflictError for a folder with something in it and for an
 * installation that is not there, Error for an artifact that is damaged.
 */
export async function backup(options: BackupOptions, folder: string): Promise<BackupManifest> {
  const target = resolve(folder);
  await assertFree(target);
  await stat(options.databaseFile).catch(() => noInstallation(options.databaseFile));
  const part = join(dirname(target), `.${basename(target)}.${randomUUID()}.part`);
  // Secrets of webhooks are in the database.
  await mkdir(part, { recursive: true, mode: 0o700 });
  const keeping = await keepArtifacts(options.artifactsFolder);
  try {
    await copyDatabase(options.databaseFile, join(part, databaseName));
    const artifacts = await copyArtifacts(options.artifactsFolder, part, keeping);
    const manifest = await writeManifest(part, options.program, artifacts);
    for (const made of [part, dirname(target)]) await syncToDisk(made);
    await rename(part, target);
    await syncToDisk(dirname(target));
    return manifest;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  } finally {
    await keeping.end();
  }
}

async function assertFree(target: string): Promise<void> {
  const isFree = await readdir(target).then(
    (names) => names.length === 0,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
  if (isFree) return;
  const expected = "a folder that is not there yet, or empty";
  throw new ConflictError(`backup: expected ${expected}, got ${target}`, {
    field: "folder",
    expected,
    received: target,
  });
}

function noInstallation(databaseFile: string): never {
  const expected = "the data folder of an installation";
  throw new ConflictError(`backup: expected ${expected}, but there is no database ${databaseFile}`, { expected });
}

/** As it is at one moment, without what was deleted from its pages. */
async function copyDatabase(from: string, to: string): Promise<void> {
  const connection = new Connection(from, { timeout: shortWaitMs });
  try {
    await whenFree(() => connection.prepare("VACUUM INTO ?").run(to));
  } finally {
    connection.close();
  }
}

async function copyArtifacts(from: string, part: string, keeping: Keeping): Promise<BackupManifest["artifacts"]> {
  const to = join(part, artifactsName);
  await mkdir(to);
  const folders = new Set([to]);
  const database = connect(join(part, databaseName));
  let [count, bytes] = [0, 0];
  try {
    for (let after = ""; ;) {
      const page = await database.artifact.findMany({
        where: { hash: { gt: after } },
        orderBy: { hash: "asc" },
        take: pageSize,
      });
      const missing: string[] = [];
      for (const artifact of page) {
        await keeping.goOn();
        if (!(await copyArtifact(artifact.hash, from, to, folders))) missing.push(artifact.hash);
        else [count, bytes] = [count + 1, bytes + Number(artifact.bytes)];
      }
      await forget(database, missing);
      if (page.length < pageSize) break;
      after = page.at(-1)!.hash;
    }
  } finally {
    await database.$disconnect();
  }
  for (const made of folders) await syncToDisk(made);
  return { count, bytes };
}

/** False where the file is not there. Throws where it is damaged. */
async function copyArtifact(hash: string, from: string, to: string, folders: Set<string>): Promise<boolean> {
  const inside = join(hash.slice(0, 2), hash.slice(2, 4));
  const target = join(to, inside, hash);
  const source = join(from, inside, hash);
  await mkdir(dirname(target), { recursive: true });
  folders.add(dirname(target)).add(dirname(dirname(target)));
  try {
    // Nothing ever writes into an artifact: one that is put again is another file of the same name.
    await link(source, target).catch(() => copyFile(source, target));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  if ((await hashOfFile(target)) !== hash) {
    throw new Error(`artifact ${hash}: expected this sha256, but the file is damaged: ${source}`);
  }
  await syncToDisk(target);
  return true;
}

/** A row comes before its file; where nothing refers to it, the file was still being written. */
async function forget(database: Database, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  const [use] = await artifactUsers(database, hashes);
  if (use) throw new Error(`artifact ${use.hash}: expected its file, which ${use.userId} needs, but there is none`);
  await database.artifact.deleteMany({ where: { hash: { in: [...hashes] } } });
}

async function writeManifest(
  part: string,
  program: string,
  artifacts: BackupManifest["artifacts"],
): Promise<BackupManifest> {
  const file = join(part, databaseName);
  await syncToDisk(file);
  const database = { bytes: (await stat(file)).size, sha256: await hashOfFile(file) };
  const manifest: BackupManifest = { format: 1, program, createdAt: new Date().toISOString(), database, artifacts };
  await writeFile(join(part, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  return manifest;
}
