import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Connection from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backup } from "../../src/store/backup.ts";
import { hashOfFile } from "../../src/store/durableFile.ts";
import { restore } from "../../src/store/restore.ts";
import { openStore } from "../../src/store/store.ts";
import type { Store, StoreOptions } from "../../src/store/store.ts";
import { startChild } from "../jobs/childProcess.ts";
import { openTestStore, readyDataset, newRun, claimed, succeededWith, storeIn, temporaryFolder } from "./testStore.ts";

const program = "1.2.3";

/** As a data folder has them. */
function installationIn(folder: string): StoreOptions {
  return { databaseFile: join(folder, "database", "autoifs.db"), artifactsFolder: join(folder, "artifacts") };
}

interface BackedUp {
  readonly folder: string;
  readonly store: Store;
  readonly runId: string;
  /** Of its checkpoint. */
  readonly hash: string;
  readonly copy: string;
}

/** A folder with a store in it that has one finished run, and its backup. */
async function backedUp(given?: string): Promise<BackedUp> {
  const folder = given ?? (await temporaryFolder());
  const store = given === undefined ? await openTestStore(folder) : await openStore(storeIn(folder));
  const run = await store.runs.create(newRun((await readyDataset(store)).id));
  const lease = await claimed(store);
  const { hash } = await store.artifacts.put(new Uint8Array([1, 2, 3]), "checkpoint");
  await store.runs.succeed(lease, succeededWith(hash));
  const copy = join(folder, "copy");
  await backup({ ...storeIn(folder), program }, copy);
  return { folder, copy, hash, runId: run.id, store };
}

async function withRestored<T>(copy: string, use: (store: Store) => Promise<T>): Promise<T> {
  const folder = join(await temporaryFolder(), "restored");
  const target = installationIn(folder);
  await restore(copy, target);
  expect([await readdir(folder), await readdir(join(folder, "database"))]).toEqual([
    ["artifacts", "database"],
    ["autoifs.db"],
  ]);
  const store = await openStore(target);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const fileOf = (folder: string, hash: string): string => join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);

describe("a backup", () => {
  it("becomes an installation again, with every run and every artifact", async () => {
    const { copy, hash, runId } = await backedUp();
    await withRestored(copy, async (store) => {
      expect(await store.runs.get(runId)).toMatchObject({ state: "SUCCEEDED", checkpointHash: hash });
      expect(await store.artifacts.read(hash)).toEqual(new Uint8Array([1, 2, 3]));
    });
  });

  it("says what made it, when, and what is in it", async () => {
    const { copy } = await backedUp();
    const manifest = JSON.parse(await readFile(join(copy, "backup.json"), "utf8")) as unknown;
    expect(manifest).toEqual({
      format: 1,
      program,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      database: { bytes: (await stat(join(copy, "autoifs.db"))).size, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      artifacts: { count: 1, bytes: 3 },
    });
    expect((await stat(copy)).mode & 0o077).toBe(0);
  });

  it("leaves out a file that was still being written, and its row", async () => {
    const { folder, store } = await backedUp();
    const { hash } = await store.artifacts.put(new Uint8Array([4]), "checkpoint");
    await rm(store.artifacts.path(hash));
    const copy = join(folder, "later");
    expect(await backup({ ...storeIn(folder), program }, copy)).toMatchObject({ artifacts: { count: 1 } });
    await withRestored(copy, async (restored) => expect(await restored.artifacts.byHashes([hash])).toEqual([]));
  });

  it("lets artifacts be taken away again when it is done", async () => {
    const { store } = await backedUp();
    const artifact = await store.artifacts.put(new Uint8Array([5]), "checkpoint");
    await store.artifacts.collect(artifact);
    expect(await store.artifacts.byHashes([artifact.hash])).toEqual([]);
  });
});

describe("backups made while another process writes", () => {
  interface Moment {
    readonly copy: string;
    readonly counts: { readonly scenarios: number; readonly tasks: number };
  }
  it("are of one moment each, and hold what the run goes on from, which is replaced all the time", async () => {
    const moments: Moment[] = [];
    const folder = await temporaryFolder();
    const writer = startChild("../store/backupWriter", [folder]);
    const runId = await writer.nextLine();
    for (let i = 0; i < 3; i++) {
      const copy = join(folder, `copy-${i}`);
      // It goes on writing: the next backup finds more.
      const round = Number(await writer.nextLine());
      await backup({ ...installationIn(folder), program }, copy);
      const counts = countIn(join(copy, "autoifs.db"));
      expect(counts.scenarios).toBeGreaterThanOrEqual(round);
      expect([counts.scenarios, counts.scenarios - 1]).toContain(counts.tasks);
      moments.push({ copy, counts });
    }
    writer.process.kill("SIGKILL");
    await writer.end();

    expect(moments.at(-1)!.counts.scenarios).toBeGreaterThan(moments[0]!.counts.scenarios);
    for (const { copy, counts } of moments) {
      await withRestored(copy, async (store) => {
        const { trainingStateHash, lastEvent } = await store.runs.get(runId);
        const saved = new TextDecoder().decode(await store.artifacts.read(trainingStateHash!));
        const [checkpoint] = (await store.events.list(runId, { after: lastEvent - 1, first: 1 })).reverse();
        expect(saved).toBe(`state ${(checkpoint!.content as { epoch: number }).epoch}`);
        expect([counts.scenarios, counts.scenarios + 1]).toContain(Number(saved.slice("state ".length)));
        expect((await store.datasets.list({ first: 10 })).rows).toMatchObject([{ name: "clicks", status: "READY" }]);
      });
    }
  });
});

describe("a backup is refused", () => {
  it("where the folder has something in it", async () => {
    const { folder, copy } = await backedUp();
    await expect(backup({ ...storeIn(folder), program }, copy)).rejects.toThrow(
      `backup: expected a folder that is not there yet, or empty, got ${copy}`,
    );
  });

  it("where there is no installation, and makes none", async () => {
    const folder = await temporaryFolder();
    await expect(backup({ ...storeIn(folder), program }, join(folder, "copy"))).rejects.toThrow(
      `backup: expected the data folder of an installation, but there is no database ${join(folder, "autoifs.db")}`,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ["damaged", (file: string) => writeFile(file, "else"), "expected this sha256, but the file is damaged"],
    ["missing", (file: string) => rm(file), "needs, but there is none"],
  ])("where an artifact is %s, and leaves nothing behind", async (_, harm, message) => {
    const { folder, hash } = await backedUp();
    await harm(fileOf(join(folder, "artifacts"), hash));
    const before = await readdir(folder);
    await expect(backup({ ...storeIn(folder), program }, join(folder, "again"))).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual(before);
  });
});

describe("restoring is refused, and nothing is made", () => {
  let made: BackedUp;
  beforeAll(async () => {
    made = await backedUp(await mkdtemp(join(tmpdir(), "autoifs-backup-")));
  });
  afterAll(async () => {
    await made.store.close();
    await rm(made.folder, { recursive: true });
  });
  const half = (bytes: number): number => Math.floor(bytes / 2);
  const cut = async (file: string): Promise<void> => truncate(file, half((await stat(file)).size));

  it.each([
    ["without its manifest", ({ copy }: BackedUp) => rm(join(copy, "backup.json")), "but there is none"],
    ["with half a manifest", ({ copy }: BackedUp) => cut(join(copy, "backup.json")), "but it cannot be read"],
    ["with half a database", ({ copy }: BackedUp) => cut(join(copy, "autoifs.db")), "the file is damaged"],
    [
      "with half an artifact",
      ({ copy, hash }: BackedUp) => cut(fileOf(join(copy, "artifacts"), hash)),
      "the file is damaged",
    ],
    ["without an artifact", ({ copy, hash }: BackedUp) => rm(fileOf(join(copy, "artifacts"), hash)), "ENOENT"],
    ["of a later format", ({ copy }: BackedUp) => writeFormat(copy, 2), "its format is 2, not 1"],
  ])("%s", async (_, harm, message) => {
    const copy = await copied(made.copy);
    await harm({ ...made, copy });
    const target = await temporaryFolder();
    await expect(restore(copy, installationIn(target))).rejects.toThrow(message);
    expect(await readdir(target).then((names) => names.filter((name) => name !== "database"))).toEqual([]);
    expect(await readdir(join(target, "database")).catch(() => [])).toEqual([]);
  });

  it("where there is an installation", async () => {
    const { folder, copy } = made;
    await expect(restore(copy, storeIn(folder))).rejects.toThrow(
      `restore: expected a data folder without a database and without artifacts, but ${folder} is not empty`,
    );
  });

  it("of a backup that a newer program has made", async () => {
    const copy = await copied(made.copy);
    const database = new Connection(join(copy, "autoifs.db"));
    database.exec(`UPDATE "_prisma_migrations" SET "migration_name" = '29990101000000_later'`);
    database.close();
    await sign(copy);
    const target = await temporaryFolder();
    await expect(restore(copy, installationIn(target))).rejects.toThrow("the database was made by a newer version");
    expect(await readdir(join(target, "database"))).toEqual([]);
  });
});

/** The same without links, so that harm to it is harm to nothing else. */
async function copied(copy: string): Promise<string> {
  const plain = join(await temporaryFolder(), "copy");
  await cp(copy, plain, { recursive: true });
  return plain;
}

async function writeFormat(copy: string, format: number): Promise<void> {
  const file = join(copy, "backup.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...manifest, format }));
}

/** Makes the manifest say what the database has become. */
async function sign(copy: string): Promise<void> {
  const file = join(copy, "backup.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as { database: { sha256: string } };
  manifest.database.sha256 = await hashOfFile(join(copy, "autoifs.db"));
  await writeFile(file, JSON.stringify(manifest));
}

function countIn(databaseFile: string): { readonly scenarios: number; readonly tasks: number } {
  const database = new Connection(databaseFile);
  const count = (table: string): number =>
    (database.prepare(`SELECT count(*) AS "count" FROM "${table}"`).get() as { count: number }).count;
  const counts = { scenarios: count("Scenario"), tasks: count("Task") };
  database.close();
  return counts;
}
