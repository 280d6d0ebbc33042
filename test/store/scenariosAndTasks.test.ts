import { describe, expect, it } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { openTestStore, storeIn, temporaryFolder } from "./testStore.ts";

const homeFeed = { key: "home_feed", name: "Home feed", description: "the first page" };

describe("scenarios", () => {
  it("are registered and read by key", async () => {
    const store = await openTestStore();
    const scenario = await store.scenarios.create(homeFeed);
    expect(scenario).toMatchObject(homeFeed);
    expect(scenario.createdAt).toBeInstanceOf(Date);
    expect(await store.scenarios.byKeys(["home_feed"])).toEqual([scenario]);
  });

  it("are there again when the store is opened again", async () => {
    const folder = await temporaryFolder();
    const first = await openStore(storeIn(folder));
    const scenario = await first.scenarios.create(homeFeed);
    await first.close();
    const second = await openTestStore(folder);
    expect(await second.scenarios.byIds([scenario.id])).toEqual([scenario]);
  });

  it("are listed in the order of registration, a page at a time", async () => {
    const store = await openTestStore();
    for (const key of ["home", "search", "channel"]) await store.scenarios.create({ ...homeFeed, key });
    const page = await store.scenarios.list({ first: 2 });
    expect(page.rows.map(({ key }) => key)).toEqual(["home", "search"]);
    expect(page.hasNextPage).toBe(true);
    const next = await store.scenarios.list({ first: 2, after: page.rows[1]!.id });
    expect(next.rows.map(({ key }) => key)).toEqual(["channel"]);
    expect(next.hasNextPage).toBe(false);
  });

  it("have unique keys", async () => {
    const store = await openTestStore();
    await store.scenarios.create(homeFeed);
    await expect(store.scenarios.create({ ...homeFeed, name: "Another" })).rejects.toMatchObject({
      name: "ConflictError",
      message: "scenario home_feed: expected a new key, but a scenario with this key is registered",
      detail: { field: "key", received: "home_feed" },
    });
    expect((await store.scenarios.list({ first: 10 })).rows).toHaveLength(1);
  });
});

describe("tasks", () => {
  it("are registered and read by key and by id", async () => {
    const store = await openTestStore();
    const task = await store.tasks.create({ key: "click", name: "Click", description: "" });
    expect(await store.tasks.byKeys(["click", "like"])).toEqual([task]);
    expect(await store.tasks.byIds([task.id])).toEqual([task]);
    expect((await store.tasks.list({ first: 10 })).rows).toEqual([task]);
  });

  it("have unique keys, apart from those of scenarios", async () => {
    const store = await openTestStore();
    await store.scenarios.create({ ...homeFeed, key: "search" });
    await store.tasks.create({ key: "search", name: "Search", description: "" });
    await expect(store.tasks.create({ key: "search", name: "", description: "" })).rejects.toThrow(
      "task search: expected a new key, but a task with this key is registered",
    );
  });
});
