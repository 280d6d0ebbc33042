import { join } from "node:path";
import Connection from "libsql";
import { describe, expect, it } from "vitest";
import { openClient } from "../../src/store/libsqlClient.ts";
import { openTestStore, storeIn, temporaryFolder } from "./testStore.ts";

const scenario = (key: string) => ({ key, name: key, description: "" });

describe("a write while another connection writes", () => {
  it("waits without holding the thread", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const other = new Connection(storeIn(folder).databaseFile);
    other.exec("BEGIN IMMEDIATE");
    let ended = false;
    const write = store.scenarios.create(scenario("home_feed")).finally(() => (ended = true));
    // Were the thread held, this loop would not come round, and the other connection never commit.
    const until = Date.now() + 100;
    while (Date.now() < until) await new Promise(setImmediate);
    expect(ended).toBe(false);
    other.exec("COMMIT");
    expect((await write).key).toBe("home_feed");
    other.close();
  });

  it("takes its turn, though one process has the store open twice", async () => {
    const folder = await temporaryFolder();
    const [one, other] = [await openTestStore(folder), await openTestStore(folder)];
    const create = (store: typeof one, name: string) => store.datasets.create({ name, sourceFile: "", spec: {} });
    const keys = Array.from({ length: 10 }, (_, i) => String(i));
    await Promise.all(keys.flatMap((key) => [create(one, `one-${key}`), create(other, `other-${key}`)]));
    expect((await one.datasets.list({ first: 100 })).rows).toHaveLength(20);
  });
});

describe("a read", () => {
  it("does not wait for a write", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const other = new Connection(storeIn(folder).databaseFile);
    other.exec("BEGIN IMMEDIATE");
    expect((await store.scenarios.list({ first: 1 })).rows).toEqual([]);
    other.close();
  });

  it("waits while another connection has the whole file for itself, as when it recovers the log", async () => {
    const file = join(await temporaryFolder(), "test.db");
    const other = new Connection(file);
    other.exec("PRAGMA journal_mode = WAL; CREATE TABLE thing (id TEXT); PRAGMA locking_mode = EXCLUSIVE");
    other.exec("INSERT INTO thing VALUES ('a')");
    const client = openClient(file);
    let ended = false;
    const read = client.execute({ sql: "SELECT id FROM thing", args: [] }).finally(() => (ended = true));
    const until = Date.now() + 100;
    while (Date.now() < until) await new Promise(setImmediate);
    expect(ended).toBe(false);
    other.close();
    expect((await read).rows).toEqual([["a"]]);
    await client.execute({ sql: "INSERT INTO thing VALUES ('b')", args: [] });
    expect((await client.execute({ sql: "SELECT id FROM thing", args: [] })).rows).toEqual([["a"], ["b"]]);
    client.close();
  });
});

describe("a transaction that fails", () => {
  it("leaves the connection fit for the next", async () => {
    const store = await openTestStore();
    const run = { kind: "TRAIN" as const, datasetId: "ds_1", backboneName: "mmoe", seed: 1, engine: "compiled" };
    const json = { backboneConfig: {}, head: {}, hyperParameters: {}, configurationHash: "" };
    await expect(store.runs.create({ ...run, ...json })).rejects.toThrow("dataset ds_1: expected the id of a dataset");
    expect((await store.datasets.create({ name: "clicks", sourceFile: "", spec: {} })).created).toBe(true);
  });
});
