/** The settings of an installation, from environment variables, checked once. Nothing else reads `process.env`. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InvalidInputError } from "./errors.ts";
import type { LogFormat, LogLevel } from "./observe/logger.ts";

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
  /** Installed packages that are plugins. */
  readonly pluginPackages: readonly string[];
  /** What a plugin may take, in its trial before it is used, for its import, its build and the recording of it; 0: no trial. */
  readonly pluginTrialSeconds: number;
  /** The same in a training or a prediction, with what it is configured with there. */
  readonly pluginSeconds: number;
  /** Threads that predict for the API. */
  readonly predictThreads: number;
  /** Milliseconds that rows wait for others to be run with; 0: no longer than the thread is busy. */
  readonly predictWaitMs: number;
  /** What the models that are ready to answer may hold together; the one asked last stays, however large. */
  readonly modelMemoryMb: number;
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
  /** Objects one operation may ask for. */
  readonly costLimit: number;
  /** Points a token has a minute; 0: no limit. */
  readonly rateLimit: number;
  /** After which a query or mutation is answered with an error. */
  readonly timeLimitSeconds: number;
  /** Pages of other hosts that may send requests, by their `Origin`. */
  readonly origins: readonly string[];
  /** A file of trusted documents (JSON: texts by id); undefined: there are none. */
  readonly documentsFile: string | undefined;
  /** Whether a document that is not in the file is refused. */
  readonly documentsOnly: boolean;
  /** Whether clients may ask what the schema is. */
  readonly introspection: boolean;
  /** Whether browsers get the page GraphiQL. */
  readonly graphiql: boolean;
  /** Whether webhooks may be at addresses that are not public, and without https. */
  readonly webhookPrivate: boolean;
  readonly logFormat: LogFormat;
  /** What is below is not logged. */
  readonly logLevel: LogLevel;
  /** Where traces are sent: an OTLP/HTTP receiver, with its path; empty: nowhere. */
  readonly tracesUrl: string;
}

/**
 * AUTOIFS_DATA (`./data`: holds all that follows unless it has its own setting), AUTOIFS_FILES (`<data>/files`),
 * AUTOIFS_PLUGINS (the plugins of this project), AUTOIFS_PLUGIN_PACKAGES (none; npm names separated by commas),
 * AUTOIFS_PLUGIN_TRIAL_SECONDS (20; 0: no trial), AUTOIFS_PLUGIN_SECONDS (60), AUTOIFS_PREDICT_THREADS (half of the cores, at least 1),
 * AUTOIFS_PREDICT_WAIT_MS (0: rows wait for no others), AUTOIFS_MODEL_MEMORY_MB (2048), AUTOIFS_HOST (127.0.0.1), AUTOIFS_PORT (4000), AUTOIFS_WORKERS (1),
 * AUTOIFS_UPLOAD_LIMIT (2147483648 bytes), AUTOIFS_MAX_ATTEMPTS (3), AUTOIFS_CHECKPOINT_MINUTES (5), AUTOIFS_LEASE_SECONDS
 * (30), AUTOIFS_COST_LIMIT (50000 objects), AUTOIFS_RATE_LIMIT (1000000 points a minute), AUTOIFS_TIME_LIMIT (60 seconds),
 * AUTOIFS_ORIGINS (none; separated by commas), AUTOIFS_DOCUMENTS (none), AUTOIFS_DOCUMENTS_ONLY (0: any document is taken),
 * AUTOIFS_INTROSPECTION (1: allowed), AUTOIFS_GRAPHIQL (1: there is the page), AUTOIFS_WEBHOOK_PRIVATE (0: webhooks go
 * to public addresses by https only), AUTOIFS_LOG (json, or text where stderr is a terminal), AUTOIFS_LOG_LEVEL (info),
 * AUTOIFS_TRACES (none; an address such as http://127.0.0.1:4318/v1/traces). Throws InvalidInputError naming the variable.
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
  const oneOf = <Word extends string>(name: string, words: readonly Word[], standard: Word): Word => {
    const given = text(name, standard);
    const word = words.find((one) => one === given);
    if (word !== undefined) return word;
    throw unexpected(name, `one of ${words.join(", ")}`, given);
  };
  const isOn = (name: string, standard: 0 | 1): boolean => whole(name, standard, 1) === 1;
  const documentsFile = text("AUTOIFS_DOCUMENTS", "");
  const documents = {
    documentsFile: documentsFile === "" ? undefined : resolve(documentsFile),
    documentsOnly: isOn("AUTOIFS_DOCUMENTS_ONLY", 0),
  };
  if (documents.documentsOnly && documentsFile === "") {
    throw unexpected("AUTOIFS_DOCUMENTS", "a file of documents, because AUTOIFS_DOCUMENTS_ONLY is 1", "");
  }
  const data = resolve(text("AUTOIFS_DATA", "data"));
  return {
    databaseFile: resolve(data, "database", "autoifs.db"),
    artifactsFolder: resolve(data, "artifacts"),
    scratchFolder: resolve(data, "scratch"),
    filesFolder: resolve(text("AUTOIFS_FILES", resolve(data, "files"))),
    pluginsFolder: resolve(text("AUTOIFS_PLUGINS", fileURLToPath(new URL("../plugins", import.meta.url)))),
    pluginPackages: packagesOf(text("AUTOIFS_PLUGIN_PACKAGES", "")),
    pluginTrialSeconds: whole("AUTOIFS_PLUGIN_TRIAL_SECONDS", 20, 3600),
    pluginSeconds: whole("AUTOIFS_PLUGIN_SECONDS", 60, 86_400, 1),
    predictThreads: whole("AUTOIFS_PREDICT_THREADS", Math.max(1, Math.floor(availableParallelism() / 2)), 64, 1),
    predictWaitMs: whole("AUTOIFS_PREDICT_WAIT_MS", 0, 1000),
    modelMemoryMb: whole("AUTOIFS_MODEL_MEMORY_MB", 2048, 2 ** 24, 1),
    host: text("AUTOIFS_HOST", "127.0.0.1"),
    port: whole("AUTOIFS_PORT", 4000, 65535),
    workers: whole("AUTOIFS_WORKERS", 1, 64),
    uploadLimit: whole("AUTOIFS_UPLOAD_LIMIT", 2 ** 31, 2 ** 50),
    maxAttempts: whole("AUTOIFS_MAX_ATTEMPTS", 3, 1000, 1),
    checkpointMinutes: whole("AUTOIFS_CHECKPOINT_MINUTES", 5, 1440, 1),
    leaseSeconds: whole("AUTOIFS_LEASE_SECONDS", 30, 600, 2),
    costLimit: whole("AUTOIFS_COST_LIMIT", 50_000, 10 ** 9, 1),
    rateLimit: whole("AUTOIFS_RATE_LIMIT", 1_000_000, 10 ** 12),
    timeLimitSeconds: whole("AUTOIFS_TIME_LIMIT", 60, 3600, 1),
    origins: originsOf(environment["AUTOIFS_ORIGINS"] ?? ""),
    ...documents,
    introspection: isOn("AUTOIFS_INTROSPECTION", 1),
    graphiql: isOn("AUTOIFS_GRAPHIQL", 1),
    webhookPrivate: isOn("AUTOIFS_WEBHOOK_PRIVATE", 0),
    logFormat: oneOf<LogFormat>("AUTOIFS_LOG", ["json", "text"], process.stderr.isTTY ? "text" : "json"),
    logLevel: oneOf<LogLevel>("AUTOIFS_LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
    tracesUrl: tracesUrlOf(text("AUTOIFS_TRACES", "")),
  };
}

/** Where a client of the API finds its server (AUTOIFS_URL), and what it says who it is with (AUTOIFS_TOKEN); neither is required. */
export function clientConfig(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly url?: string;
  readonly token?: string;
} {
  const url = environment["AUTOIFS_URL"]?.trim();
  const token = environment["AUTOIFS_TOKEN"]?.trim();
  return { ...(url ? { url } : {}), ...(token ? { token } : {}) };
}

/** `https://tools.example.org, http://localhost:5173`: schemes with hosts, no paths. */
function originsOf(text: string): string[] {
  const given = text.split(",").map((part) => part.trim());
  return given.filter(Boolean).map((origin) => {
    if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
    const expected = "origins such as https://tools.example.org, separated by commas";
    throw new InvalidInputError(`AUTOIFS_ORIGINS: expected ${expected}, got "${origin}"`, {
      field: "AUTOIFS_ORIGINS",
      expected,
      received: origin,
    });
  });
}

/** `autoifs-plugin-a, @scope/plugin-b`. */
function packagesOf(text: string): string[] {
  const given = text.split(",").map((part) => part.trim());
  return given.filter(Boolean).map((name) => {
    if (/^(@[\w.~-]+\/)?[\w~-][\w.~-]*$/.test(name)) return name;
    throw unexpected("AUTOIFS_PLUGIN_PACKAGES", "names of installed packages, separated by commas", name);
  });
}

function tracesUrlOf(given: string): string {
  if (given === "" || (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol))) return given;
  throw unexpected("AUTOIFS_TRACES", "an address such as http://127.0.0.1:4318/v1/traces", given);
}

function unexpected(name: string, expected: string, received: string): InvalidInputError {
  const message = `${name}: expected ${expected}, got "${received}"`;
  return new InvalidInputError(message, { field: name, expected, received });
}
