import { describe, expect, it } from "vitest";
import { claimed, newRun, openTestStore, readyDataset, succeededWith } from "./testStore.ts";
import type { Store } from "../../src/store/store.ts";

async function succeeded(store: Store, datasetId: string, configurationHash: string): Promise<string> {
  const { id } = await store.runs.create({ ...newRun(datasetId), configurationHash });
  const lease = await claimed(store);
  const { hash } = await store.artifacts.put(new TextEncoder().encode(id), "checkpoint");
  await store.runs.succeed(lease, succeededWith(hash));
  return id;
}

describe("findOrCreate", () => {
  it("takes a run of the same configuration, dataset and seed, and makes one where there is none", async () => {
    const store = await openTestStore();
    const { id } = await readyDataset(store);
    const wanted = [1, 2].map((seed) => ({ ...newRun(id), seed }));
    const first = await store.runs.create(wanted[0]!);
    const [found, made] = await store.runs.findOrCreate(wanted);
    expect(found).toEqual({ run: first, created: false });
    expect(made).toMatchObject({ run: { seed: 2, state: "QUEUED" }, created: true });
    const again = await store.runs.findOrCreate(wanted);
    expect(again.map(({ run, created }) => [run.id, created])).toEqual([
      [first.id, false],
      [made!.run.id, false],
    ]);
  });

  it("does not take one that was cancelled", async () => {
    const store = await openTestStore();
    const { id } = await readyDataset(store);
    const first = await store.runs.create(newRun(id));
    await store.runs.cancel(first.id);
    const [made] = await store.runs.findOrCreate([newRun(id)]);
    expect(made!.created).toBe(true);
  });
});

describe("succeededAgain", () => {
  it("has the runs of configurations that succeeded at least twice, newest first", async () => {
    const store = await openTestStore();
    const { id } = await readyDataset(store);
    const [a1, b1, a2] = [
      await succeeded(store, id, "a"),
      await succeeded(store, id, "b"),
      await succeeded(store, id, "a"),
    ];
    for (let i = 0; i < 2; i++) await succeeded(store, id, "");
    await store.runs.create({ ...newRun(id), configurationHash: "b" });
    expect((await store.runs.succeededAgain(id)).map((run) => run.id)).toEqual([a2, a1]);
    expect(await store.runs.succeededAgain("ds_none")).toEqual([]);
    expect((await store.runs.bySeed(id, ["b"], 7)).map((run) => run.state)).toEqual(["QUEUED", "SUCCEEDED"]);
    expect((await store.runs.bySeed(id, ["b"], 7)).at(-1)!.id).toBe(b1);
  });
});
