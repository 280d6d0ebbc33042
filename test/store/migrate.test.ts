import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Connection from "libsql";
import { describe, expect, it } from "vitest";
import { schemaDiff } from "../../prisma/schemaDiff.ts";
import { migrate, ownMigrationsFolder } from "../../src/store/migrate.ts";
import { temporaryFolder } from "./testStore.ts";

const own = ownMigrationsFolder();

/** All tables and indexes as text. */
function schemaOf(databaseFile: string): string[] {
  const connection = new Connection(databaseFile);
  const rows = connection
    .prepare(
      "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_prisma%' ESCAPE '\\' ORDER BY name",
    )
    .all() as { sql: string }[];
  connection.close();
  return rows.map(({ sql }) => sql);
}

/** The same without the order of columns, which depends on when they were added. */
function tablesOf(databaseFile: string): string[] {
  return schemaOf(databaseFile).map((sql) =>
    sql
      .split(/[(),\n]/)
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .sort()
      .join("\n"),
  );
}

/** Migrations `1_things` and `2_more` in a folder of the test. */
async function twoMigrations(): Promise<{ databaseFile: string; folder: string }> {
  const temporary = await temporaryFolder();
  const folder = join(temporary, "migrations");
  await writeMigration(folder, "1_things", "CREATE TABLE thing (id TEXT PRIMARY KEY); INSERT INTO thing VALUES ('a');");
  await writeMigration(folder, "2_more", "ALTER TABLE thing ADD COLUMN size INTEGER;");
  return { databaseFile: join(temporary, "test.db"), folder };
}

async function writeMigration(folder: string, name: string, sql: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, "migration.sql"), sql);
}

describe("migrate", () => {
  it("applies the migrations of this program to a new file", async () => {
    const databaseFile = join(await temporaryFolder(), "test.db");
    expect((await migrate(databaseFile, own)).length).toBeGreaterThan(0);
    expect(schemaOf(databaseFile).join("\n")).toContain('CREATE TABLE "ModelRun"');
  });

  it("applies nothing the second time", async () => {
    const { databaseFile, folder } = await twoMigrations();
    expect(await migrate(databaseFile, folder)).toEqual(["1_things", "2_more"]);
    const before = schemaOf(databaseFile);
    expect(await migrate(databaseFile, folder)).toEqual([]);
    expect(schemaOf(databaseFile)).toEqual(before);
  });

  it("applies what has been added since", async () => {
    const { databaseFile, folder } = await twoMigrations();
    await migrate(databaseFile, folder);
    await writeMigration(folder, "3_index", "CREATE INDEX thing_size ON thing (size);");
    expect(await migrate(databaseFile, folder)).toEqual(["3_index"]);
  });

  it("gives the tables that schema.prisma describes", async () => {
    const folder = await temporaryFolder();
    const [migrated, described] = [join(folder, "migrated.db"), join(folder, "described.db")];
    await migrate(migrated, own);
    const schema = await readFile(join(own, "..", "schema.prisma"), "utf8");
    await writeMigration(join(folder, "whole"), "1_schema", await schemaDiff(null, schema));
    await migrate(described, join(folder, "whole"));
    expect(tablesOf(migrated)).toEqual(tablesOf(described));
  });

  it("switches the file to the write-ahead log, with an fsync for each commit", async () => {
    const { databaseFile, folder } = await twoMigrations();
    await migrate(databaseFile, folder);
    const connection = new Connection(databaseFile);
    expect(connection.prepare("PRAGMA journal_mode").get()).toMatchObject({ journal_mode: "wal" });
    expect(connection.prepare("PRAGMA synchronous").get()).toMatchObject({ synchronous: 2 });
    expect(connection.prepare("PRAGMA foreign_keys").get()).toMatchObject({ foreign_keys: 1 });
    connection.close();
  });
});

describe("migrate refuses", () => {
  it("an applied migration whose text has changed", async () => {
    const { databaseFile, folder } = await twoMigrations();
    await migrate(databaseFile, folder);
    await writeMigration(folder, "1_things", "CREATE TABLE thing (id TEXT PRIMARY KEY, name TEXT);");
    await expect(migrate(databaseFile, folder)).rejects.toThrow(
      /^migration 1_things: expected the text that was applied \(sha256 [0-9a-f]{64}\), but the file has changed/,
    );
  });

  it("a database with migrations of a newer version", async () => {
    const { databaseFile, folder } = await twoMigrations();
    const newer = join(folder, "..", "newer");
    await cp(folder, newer, { recursive: true });
    await writeMigration(newer, "3_index", "CREATE INDEX thing_size ON thing (size);");
    await migrate(databaseFile, newer);
    await expect(migrate(databaseFile, folder)).rejects.toThrow(
      "migration 3_index: expected every applied migration to be known, but this program lacks it",
    );
  });

  it("a migration that fails, of which nothing remains", async () => {
    const { databaseFile, folder } = await twoMigrations();
    await migrate(databaseFile, folder);
    const before = schemaOf(databaseFile);
    await writeMigration(folder, "3_broken", "CREATE TABLE other (id TEXT); CREATE TABLE other (id TEXT);");
    await expect(migrate(databaseFile, folder)).rejects.toThrow("table other already exists");
    expect(schemaOf(databaseFile)).toEqual(before);
    await writeMigration(folder, "3_broken", "CREATE TABLE other (id TEXT);");
    expect(await migrate(databaseFile, folder)).toEqual(["3_broken"]);
  });

  it("a migration that leaves references to nothing", async () => {
    const { databaseFile, folder } = await twoMigrations();
    const part = "CREATE TABLE part (thing TEXT REFERENCES thing (id)); INSERT INTO part VALUES ('nothing');";
    await writeMigration(folder, "3_part", part);
    await expect(migrate(databaseFile, folder)).rejects.toThrow(
      "migration 3_part: expected whole references after it, but 1 rows point nowhere",
    );
    expect(schemaOf(databaseFile).join("\n")).not.toContain("part");
  });
});
