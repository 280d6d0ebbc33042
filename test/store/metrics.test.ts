import { describe, expect, it } from "vitest";
import { ConflictError } from "../../src/errors.ts";
import { openTestStore, runningRun } from "./testStore.ts";

const place = { scenarioKey: "home_feed", taskKey: "click" };
const auc = { ...place, split: "test", name: "auc", value: 0.75 } as const;

describe("the metrics of a run", () => {
  it("keep their interval, their groups and why they do not exist", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.metrics.record(lease, null, [
      { ...auc, low: 0.7, high: 0.8 },
      { ...auc, name: "gauc", value: 0.6, groups: 12 },
      { ...auc, name: "calibration", value: null, reason: "ONE_CLASS" },
    ]);
    const none = { low: null, high: null, reason: null, groups: null };
    expect(await store.metrics.finalByRunIds([run.id])).toMatchObject([
      { ...none, name: "auc", value: 0.75, low: 0.7, high: 0.8 },
      { ...none, name: "gauc", value: 0.6, groups: 12 },
      { ...none, name: "calibration", value: null, reason: "ONE_CLASS" },
    ]);
  });

  it("are read of one split or of some names where that is all that is wanted", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.metrics.record(lease, null, [auc, { ...auc, split: "validation" }, { ...auc, name: "ece" }]);
    expect(await store.metrics.finalByRunIds([run.id], { split: "test", names: ["auc"] })).toMatchObject([auc]);
  });

  it("are summed up per name, over the cells that have a value", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.tasks.create({ key: "like", name: "Like", description: "" });
    await store.tasks.create({ key: "buy", name: "Buy", description: "" });
    await store.metrics.record(lease, null, [
      { ...auc, value: 0.75 },
      { ...auc, taskKey: "like", value: 0.25 },
      { ...auc, taskKey: "buy", value: null, reason: "ONE_CLASS" },
      { ...auc, split: "validation", value: 1 },
      { ...auc, name: "ece", value: null, reason: "NO_ROWS" },
    ]);
    const summaries = await store.metrics.summariesByRunIds([run.id], "test");
    expect(summaries.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { runId: run.id, name: "auc", mean: 0.5, lowest: 0.25, highest: 0.75, cells: 2 },
      { runId: run.id, name: "ece", mean: null, lowest: null, highest: null, cells: 0 },
    ]);
  });

  it("that are no finite number are null and say so", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    await store.metrics.record(lease, null, [
      { ...auc, value: NaN },
      { ...auc, name: "logloss", value: Infinity, low: -Infinity, high: NaN },
    ]);
    const nothing = { value: null, low: null, high: null, reason: "NOT_FINITE" };
    expect(await store.metrics.finalByRunIds([run.id])).toMatchObject([nothing, nothing]);
  });

  it("of an epoch come with the event that tells of it, or both do not", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const summary = { phase: "train", epoch: 1, epochs: 5, meanAuc: 0.75, score: 0.75 };
    await store.metrics.record(lease, 1, [auc], summary);
    await store.metrics.record(lease, null, [auc]);
    const lost = { ...lease, attempt: 7 };
    await expect(store.metrics.record(lost, 2, [auc], summary)).rejects.toThrow(ConflictError);
    const events = await store.events.list(run.id, { after: 0, first: 10 });
    expect(events.filter(({ kind }) => kind === "EPOCH").map(({ content }) => content)).toEqual([summary]);
    expect(await store.metrics.historyByRunIds([run.id])).toHaveLength(1);
  });
});
