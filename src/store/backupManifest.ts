/**
 * What a backup says of itself, in `backup.json`. A backup is a folder: this file, a copy of the database, and the artifacts
 * under the names they have in an installation. The database lists the artifacts; their names are their hashes.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "../errors.ts";

export const databaseName = "autoifs.db";
export const artifactsName = "artifacts";
export const manifestName = "backup.json";

export interface BackupManifest {
  /** Of the folder; counts up where it changes. */
  readonly format: 1;
  /** Version of the program that wrote it. */
  readonly program: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly database: { readonly bytes: number; readonly sha256: string };
  readonly artifacts: { readonly count: number; readonly bytes: number };
}

/** Throws InvalidInputError where the folder is no whole backup that this program can read. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const text = await readFile(join(folder, manifestName), "utf8").catch(() => refuse(folder, "there is none"));
  const manifest = parse(text) ?? refuse(folder, "it cannot be read");
  if (manifest.format !== 1) refuse(folder, `its format is ${String(manifest.format)}, not 1`);
  return manifest as BackupManifest;
}

/** Undefined for what is no manifest. */
function parse(text: string): (Omit<BackupManifest, "format"> & { readonly format: unknown }) | undefined {
  try {
    const value = JSON.parse(text) as Partial<BackupManifest> | null;
    const isWhole = typeof value?.database?.sha256 === "string" && typeof value.artifacts?.count === "number";
    return isWhole ? (value as BackupManifest) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(folder: string, why: string): never {
  const expected = `the folder of a backup, with the file ${manifestName}`;
  throw new InvalidInputError(`restore: expected ${expected}, but ${why}: ${folder}`, { field: "folder", expected });
}
