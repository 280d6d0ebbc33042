/**
 * Brings a SQLite file to the schema of this program: applies the migrations of prisma/migrations and records them as
 * Prisma's own command does, in `_prisma_migrations`. Any number of processes may start at once.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Connection from "libsql";
import { shortWaitMs, whenFree } from "./busy.ts";

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** sha256 of the file */
  readonly checksum: string;
}

interface Applied {
  readonly migration_name: string;
  readonly checksum: string;
}

const recordsTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

/**
 * Applies what is missing, each migration in a transaction of its own, and returns the names. Throws where an applied
 * migration has another text now, or is not known to this program; nothing is changed then.
 */
export async function migrate(databaseFile: string, migrationsFolder: string): Promise<string[]> {
  const connection = new Connection(databaseFile, { timeout: shortWaitMs });
  try {
    // Once per file: it stays so. The change needs the file for itself, and processes may start together.
    await whenFree(() => useWriteAheadLog(connection));
    // Some migrations make a table anew and drop the old one; the references are checked before each commit instead.
    connection.exec("PRAGMA foreign_keys = OFF");
    const migrations = readMigrations(migrationsFolder);
    const done: string[] = [];
    for (const migration of migrations) {
      const apply = connection.transaction(() => applyOnce(connection, migrations, migration));
      const applied = await whenFree(() => apply.immediate());
      if (applied) done.push(migration.name);
    }
    return done;
  } finally {
    connection.close();
  }
}

/** Throws as `migrate` does of a database that this program cannot bring to its schema. Changes nothing. */
export function assertKnown(databaseFile: string, migrationsFolder: string): void {
  const connection = new Connection(databaseFile, { timeout: shortWaitMs });
  try {
    const migrations = readMigrations(migrationsFolder);
    for (const record of recordsOf(connection)) assertUnchanged(migrations, record);
  } finally {
    connection.close();
  }
}

/** The folder prisma/migrations of this package, from the sources as from the built files. */
export function ownMigrationsFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, "prisma", "migrations");
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) {
      throw new Error(
        `migrations: expected a folder prisma/migrations above ${import.meta.dirname}, but there is none`,
      );
    }
  }
}

/** Inside a transaction that holds the write lock. False where the migration stands already. */
function applyOnce(connection: Connection.Database, migrations: readonly Migration[], migration: Migration): boolean {
  connection.exec(recordsTable);
  const records = recordsOf(connection);
  for (const record of records) assertUnchanged(migrations, record);
  if (records.some((record) => record.migration_name === migration.name)) return false;

  const startedAt = Date.now();
  connection.exec(migration.sql);
  const broken = connection.prepare("PRAGMA foreign_key_check").all();
  if (broken.length > 0) {
    throw new Error(
      `migration ${migration.name}: expected whole references after it, but ${broken.length} rows point nowhere`,
    );
  }
  connection
    .prepare(
      `INSERT INTO "_prisma_migrations"
       ("id", "checksum", "migration_name", "started_at", "finished_at", "applied_steps_count") VALUES (?, ?, ?, ?, ?, 1)`,
    )
    .run(randomUUID(), migration.checksum, migration.name, startedAt, Date.now());
  return true;
}

function recordsOf(connection: Connection.Database): Applied[] {
  return connection
    .prepare(`SELECT "migration_name", "checksum" FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL`)
    .all() as Applied[];
}

function assertUnchanged(migrations: readonly Migration[], applied: Applied): void {
  const known = migrations.find(({ name }) => name === applied.migration_name);
  if (known === undefined) {
    throw new Error(
      `migration ${applied.migration_name}: expected every applied migration to be known, but this program lacks it: ` +
        "the database was made by a newer version",
    );
  }
  if (known.checksum !== applied.checksum) {
    throw new Error(
      `migration ${known.name}: expected the text that was applied (sha256 ${applied.checksum}), ` +
        `but the file has changed (sha256 ${known.checksum}); undo the change and write a new migration`,
    );
  }
}

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const sql = readFileSync(join(folder, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function useWriteAheadLog(connection: Connection.Database): void {
  connection.exec("PRAGMA journal_mode = WAL");
  const { journal_mode: mode } = connection.prepare("PRAGMA journal_mode").get() as { journal_mode: string };
  if (mode !== "wal") {
    throw new Error(`database: expected SQLite's write-ahead log, but this file system only allows ${mode}`);
  }
}
