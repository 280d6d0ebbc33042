/** The settings of an installation, from environment variables, checked once. Nothing else reads `process.env`. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InvalidInputError } from "./errors.ts";

export interface Config {
  /** The embedded database. */
  readonly databaseFile: string;
  /** Encoded datasets and checkpoints, by content hash. */
  readonly artifactsFolder: string;
  /** The data folder: files that may become datasets; uploads land in `uploads` below it. */
  readonly filesFolder: string;
  /** Unfinished work; may be emptied while nothing runs. */
  readonly scratchFolder: string;
  readonly pluginsFolder: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Worker processes; each trains one model at a time. 0 leaves the queue alone. */
  readonly workers: number;
  /** The largest upload, in bytes. */
  readonly uploadLimit: number;
  /** Workers that may die on one run without a checkpoint in between before it is given up. */
  readonly maxAttempts: number;
  /** Between two checkpoints inside an epoch. */
  readonly checkpointMinutes: number;
  /** After the last heartbeat of a worker, until its run goes back to the queue. */
  readonly leaseSeconds: number;
}

/**
 * AUTOIFS_DATA (`./data`: holds all that follows unless it has its own setting), AUTOIFS_FILES (`<data>/files`),
 * AUTOIFS_PLUGINS (the plugins of this project), AUTOIFS_HOST (127.0.0.1), AUTOIFS_PORT (4000), AUTOIFS_WORKERS (1),
 * AUTOIFS_UPLOAD_LIMIT (2147483648 bytes), AUTOIFS_MAX_ATTEMPTS (3), AUTOIFS_CHECKPOINT_MINUTES (5), AUTOIFS_LEASE_SECONDS
 * (30). Throws InvalidInputError naming the variable.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const text = (name: string, standard: string): string => environment[name]?.trim() || standard;
  const whole = (name: string, standard: number, most: number, least = 0): number => {
    const given = text(name, String(standard));
    if (/^\d{1,15}$/.test(given) && Number(given) >= least && Number(given) <= most) return Number(given);
    const expected = `a whole number from ${least} to ${most}`;
    throw new InvalidInputError(`${name}: expected ${expected}, got "${given}"`, {
      field: name,
      expected,
      received: given,
    });
  };
  const data = resolve(text("AUTOIFS_DATA", "data"));
  return {
    databaseFile: resolve(data, "database", "autoifs.db"),
    artifactsFolder: resolve(data, "artifacts"),
    scratchFolder: resolve(data, "scratch"),
    filesFolder: resolve(text("AUTOIFS_FILES", resolve(data, "files"))),
    pluginsFolder: resolve(text("AUTOIFS_PLUGINS", fileURLToPath(new URL("../plugins", import.meta.url)))),
    host: text("AUTOIFS_HOST", "127.0.0.1"),
    port: whole("AUTOIFS_PORT", 4000, 65535),
    workers: whole("AUTOIFS_WORKERS", 1, 64),
    uploadLimit: whole("AUTOIFS_UPLOAD_LIMIT", 2 ** 31, 2 ** 50),
    maxAttempts: whole("AUTOIFS_MAX_ATTEMPTS", 3, 1000, 1),
    checkpointMinutes: whole("AUTOIFS_CHECKPOINT_MINUTES", 5, 1440, 1),
    leaseSeconds: whole("AUTOIFS_LEASE_SECONDS", 30, 600, 2),
  };
}
