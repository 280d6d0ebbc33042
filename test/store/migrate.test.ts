import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Connection from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { schemaDiff } from "../../prisma/schemaDiff.ts";
import { migrate, ownMigrationsFolder } from "../../src/store/migrate.ts";
import { parametersOf } from "../../src/store/runParameters.ts";
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

describe("the migrations of this program keep what is there", () => {
  /** A file as an older version left it, filled with runs, and brought to the newest schema. */
  async function upgraded(): Promise<Connection.Database> {
    const temporary = await temporaryFolder();
    const [databaseFile, older] = [join(temporary, "test.db"), join(temporary, "older")];
    for (const name of ["20261124072229_first", "20261124181723_trusted_runs"]) {
      await cp(join(own, name), join(older, name), { recursive: true });
    }
    await migrate(databaseFile, older);
    const connection = new Connection(databaseFile);
    onTestFinished(() => void connection.close());
    connection.exec(oldRows);
    await migrate(databaseFile, own);
    return connection;
  }

  it("with all rows that point to a table that was made anew", async () => {
    const connection = await upgraded();
    const count = (table: string) => connection.prepare(`SELECT count(*) AS rows FROM "${table}"`).all();
    for (const [table, rows] of Object.entries({
      Dataset: 1,
      DatasetCount: 1,
      ModelRun: 2,
      MetricPoint: 4,
      FlowStatistic: 1,
      RunEvent: 1,
    })) {
      expect([table, count(table)]).toEqual([table, [{ rows }]]);
    }
    expect(connection.prepare(`SELECT "id", "note", "deletedAt", "seed" FROM "ModelRun" ORDER BY "id"`).all()).toEqual([
      { id: "run_1", note: "", deletedAt: null, seed: 7 },
      { id: "run_2", note: "", deletedAt: null, seed: 8 },
    ]);
  });

  it("and fill which files a dataset needs", async () => {
    const connection = await upgraded();
    expect(connection.prepare(`SELECT * FROM "DatasetArtifact" ORDER BY "artifactHash"`).all()).toEqual([
      { datasetId: "ds_1", artifactHash: "a1" },
      { datasetId: "ds_1", artifactHash: "a2" },
    ]);
  });

  it("and fill what lists of runs are filtered and ordered by, as it is written for new runs", async () => {
    const connection = await upgraded();
    const parameters = connection
      .prepare(`SELECT "path", "number", "text" FROM "RunParameter" WHERE "runId" = ? ORDER BY "path"`)
      .all("run_1");
    const byPath = parametersOf(oldRun).toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(parameters).toEqual(byPath);
    expect(byPath).toContainEqual({ path: "search.gateLearningRate", number: 1e-7, text: null });
    expect(byPath).toContainEqual({ path: "backbone.config.levels", number: null, text: "[[128],[64,32]]" });
    expect(
      connection.prepare(`SELECT count(*) AS rows FROM "RunParameter" WHERE "path" LIKE 'search.%'`).all(),
    ).toEqual([{ rows: 2 }]);
    expect(connection.prepare(`SELECT * FROM "RunSummary" ORDER BY "name"`).all()).toEqual([
      { runId: "run_1", split: "test", name: "auc", value: expect.closeTo(0.7, 12) },
      { runId: "run_1", split: "test", name: "logloss", value: 0.5 },
    ]);
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

const oldRun = {
  hyperParameters: {
    learningRate: 0.002,
    shuffle: true,
    selection: { metric: "auc", weights: [], minimumDifference: 0 },
    search: { epochs: 10, gateLearningRate: 1e-7 },
  },
  backboneConfig: { levels: [[128], [64, 32]], batchNorm: false, activation: null },
  head: { kind: "AUTOIFS", scenarioLayers: [256], rank: 2 },
};

/** Two runs, the second of towers, with whatever points to them, as they were before there were notes. */
const oldRows = `
  INSERT INTO "Scenario" VALUES ('scn_1', 'home', 'Home', '', '2026-01-01T00:00:00.000+00:00');
  INSERT INTO "Task" VALUES ('tsk_1', 'click', 'Click', '', '2026-01-01T00:00:00.000+00:00');
  INSERT INTO "Task" VALUES ('tsk_2', 'like', 'Like', '', '2026-01-01T00:00:00.000+00:00');
  INSERT INTO "Dataset" ("id", "name", "sourceFile", "spec", "status", "createdAt", "manifest")
    VALUES ('ds_1', 'clicks', 'clicks.csv', '{}', 'READY', '2026-01-01T00:00:00.000+00:00',
      '{"files":{"train.arrow":{"sha256":"a1","bytes":9},"test.arrow":{"sha256":"a2","bytes":9}}}');
  INSERT INTO "DatasetCount" VALUES ('ds_1', 'test', 'home', 'click', 10, 5);
  INSERT INTO "ModelRun" ("id", "kind", "datasetId", "backboneName", "backboneConfig", "head", "hyperParameters", "seed",
    "engine", "state", "attempt", "createdAt")
    VALUES ('run_1', 'SEARCH', 'ds_1', 'ple', '${JSON.stringify(oldRun.backboneConfig)}', '${JSON.stringify(oldRun.head)}',
      '${JSON.stringify(oldRun.hyperParameters)}', 7, 'compiled', 'SUCCEEDED', 1, '2026-01-01T00:00:00.000+00:00'),
    ('run_2', 'TRAIN', 'ds_1', 'ple', '{}', '{"kind":"TOWERS","layers":[]}', '{"search":{"epochs":10}}', 8, 'compiled',
      'FAILED', 1, '2026-01-01T00:00:00.000+00:00');
  INSERT INTO "MetricPoint" ("runId", "epoch", "split", "scenarioKey", "taskKey", "name", "value") VALUES
    ('run_1', NULL, 'test', 'home', 'click', 'auc', 0.6),
    ('run_1', NULL, 'test', 'home', 'like', 'auc', 0.8),
    ('run_1', NULL, 'test', 'home', 'click', 'logloss', 0.5),
    ('run_1', 1, 'validation', 'home', 'click', 'auc', 0.1);
  INSERT INTO "FlowStatistic" VALUES ('run_1', 'home', 'click', 'SHARED_TASK', 0.1, 0.2);
  INSERT INTO "RunEvent" VALUES ('run_1', 1, 'STATE', '{"state":"QUEUED"}', '2026-01-01T00:00:00.000+00:00');
`;
