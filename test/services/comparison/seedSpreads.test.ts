import { describe, expect, it } from "vitest";
import { pooledVariance } from "../../../src/metrics/seedSpread.ts";
import { seedSpreads } from "../../../src/services/comparison/seedSpreads.ts";
import type { NewRun } from "../../../src/store/queueRun.ts";
import type { Run } from "../../../src/store/rows.ts";
import type { Store } from "../../../src/store/store.ts";
import { claimed, newRun, openTestStore, readyDataset } from "../../store/testStore.ts";

const cells = [{ scenarioKey: "home_feed", taskKey: "click" }];
const wanted = { cells, split: "test", ownDegreesOfFreedom: 0 } as const;

let made = 0;

/** A run that SUCCEEDED with this AUC, and a logloss of 1 − AUC; by default with weights of its own. */
async function succeeded(store: Store, auc: number, record: Partial<NewRun> = {}, weights = `${++made}`): Promise<Run> {
  const datasetId = (await store.datasets.list({ first: 1 })).rows[0]!.id;
  await store.runs.create({ ...newRun(datasetId), kind: "TRAIN", ...record });
  const lease = await claimed(store);
  const point = { split: "test", scenarioKey: "home_feed", taskKey: "click" } as const;
  await store.metrics.record(lease, null, [
    { ...point, name: "auc", value: auc },
    { ...point, name: "logloss", value: 1 - auc },
  ]);
  const { hash } = await store.artifacts.put(new TextEncoder().encode(weights), "checkpoint");
  const result = { checkpointHash: hash, predictionsHash: hash, stopReason: "COMPLETED", timings: {} } as const;
  return store.runs.succeed(lease, result);
}

async function emptyStore(): Promise<Store> {
  const store = await openTestStore();
  await readyDataset(store);
  return store;
}

const spreadOf = async (store: Store, compared: readonly Run[], ownDegreesOfFreedom = 0) =>
  (await seedSpreads(store, compared, { ...wanted, ownDegreesOfFreedom }))("home_feed", "click");

describe("the spread of seeds", () => {
  it("is that within the other runs of the compared configurations", async () => {
    const store = await emptyStore();
    const compared = [await succeeded(store, 0.9), await succeeded(store, 0.1, { configurationHash: "other" })];
    for (const auc of [0.7, 0.71, 0.73]) await succeeded(store, auc);
    for (const auc of [0.6, 0.62]) await succeeded(store, auc, { configurationHash: "other" });
    for (const auc of [0.2, 0.8]) await succeeded(store, auc, { configurationHash: "unrelated" });
    const { auc, logloss } = await spreadOf(store, compared);
    const expected = pooledVariance([
      [0.7, 0.71, 0.73],
      [0.6, 0.62],
    ]);
    expect(auc).toEqual(expected);
    expect(logloss!.variance).toBeCloseTo(expected!.variance, 12);
  });

  it("is that of all repeated configurations where the compared ones tell too little", async () => {
    const store = await emptyStore();
    const compared = [await succeeded(store, 0.9)];
    for (const auc of [0.7, 0.71]) await succeeded(store, auc);
    for (const auc of [0.6, 0.62, 0.63]) await succeeded(store, auc, { configurationHash: "other" });
    await succeeded(store, 0.1, { configurationHash: "alone" });
    const few = pooledVariance([[0.7, 0.71]]);
    const all = pooledVariance([
      [0.7, 0.71],
      [0.6, 0.62, 0.63],
    ]);
    const borrowed = (await spreadOf(store, compared)).auc!;
    expect(borrowed.degreesOfFreedom).toBe(3);
    expect(borrowed.variance).toBeCloseTo(all!.variance, 12);
    // Two seeds more that are compared make it enough.
    expect((await spreadOf(store, compared, 2)).auc).toEqual(few);
  });

  it("is unknown where nothing was repeated", async () => {
    const store = await emptyStore();
    const compared = [await succeeded(store, 0.9), await succeeded(store, 0.8)];
    await succeeded(store, 0.7);
    expect(await spreadOf(store, compared)).toEqual({ auc: null, logloss: null });
  });

  it("does not take a replay, the same weights again, or runs from before there were configurations for repetitions", async () => {
    const store = await emptyStore();
    const compared = [await succeeded(store, 0.9, {}, "compared")];
    const first = await succeeded(store, 0.7, {}, "same");
    await succeeded(store, 0.7, {}, "same");
    await succeeded(store, 0.70001, { replayOfRunId: first.id });
    await succeeded(store, 0.9, {}, "compared");
    for (const auc of [0.1, 0.2]) await succeeded(store, auc, { configurationHash: "" });
    expect((await spreadOf(store, compared)).auc).toBeNull();
  });

  it("counts of the prunes of one search one for each configuration", async () => {
    const store = await emptyStore();
    const search = await succeeded(store, 0.5, { kind: "SEARCH" });
    const another = await succeeded(store, 0.5, { kind: "SEARCH" });
    const prune = (parentRunId: string, configurationHash: string): Partial<NewRun> => {
      return { kind: "PRUNE", parentRunId, configurationHash };
    };
    for (const auc of [0.7, 0.9]) await succeeded(store, auc, prune(search.id, "prune"));
    await succeeded(store, 0.71, prune(another.id, "prune"));
    await succeeded(store, 0.6, prune(search.id, "prune at 0.4"));
    await succeeded(store, 0.62, prune(another.id, "prune at 0.4"));
    const compared = [await succeeded(store, 0.9, { configurationHash: "compared" })];
    // Both searches are of one configuration, and have the same AUC.
    const { degreesOfFreedom } = (await spreadOf(store, compared)).auc!;
    expect(degreesOfFreedom).toBe(3);
  });
});
