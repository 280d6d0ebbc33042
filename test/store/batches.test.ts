import Connection from "libsql";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { newRun, openTestStore, readyDataset, runningRun } from "./testStore.ts";

afterEach(() => vi.restoreAllMocks());

/** How many SQL statements a read takes. */
async function statementsOf(read: () => Promise<unknown>): Promise<number> {
  const prepare = vi.spyOn(Connection.prototype, "prepare");
  await read();
  const count = prepare.mock.calls.length;
  prepare.mockRestore();
  return count;
}

const reads: Record<string, (store: Store, ids: string[]) => Promise<unknown[]>> = {
  "scenarios.byIds": (store, ids) => store.scenarios.byIds(ids),
  "scenarios.byKeys": (store, keys) => store.scenarios.byKeys(keys),
  "tasks.byIds": (store, ids) => store.tasks.byIds(ids),
  "tasks.byKeys": (store, keys) => store.tasks.byKeys(keys),
  "datasets.byIds": (store, ids) => store.datasets.byIds(ids),
  "datasets.countsByIds": (store, ids) => store.datasets.countsByIds(ids),
  "runs.byIds": (store, ids) => store.runs.byIds(ids),
  "runs.pagesByDatasetIds": (store, ids) => store.runs.pagesByDatasetIds(ids, { first: 100 }),
  "runs.countsByDatasetIds": (store, ids) => store.runs.countsByDatasetIds(ids),
  "experiments.trialPagesByExperimentIds": (store, ids) =>
    store.experiments.trialPagesByExperimentIds(ids, { first: 100 }),
  "runs.byParentIds": (store, ids) => store.runs.byParentIds(ids),
  "metrics.finalByRunIds": (store, ids) => store.metrics.finalByRunIds(ids),
  "metrics.historyByRunIds": (store, ids) => store.metrics.historyByRunIds(ids),
  "flows.byRunIds": (store, ids) => store.flows.byRunIds(ids),
  "flows.historyByRunIds": (store, ids) => store.flows.historyByRunIds(ids),
  "flows.effectsByRunIds": (store, ids) => store.flows.effectsByRunIds(ids),
  "exports.byIds": (store, ids) => store.exports.byIds(ids),
  "modelExports.byIds": (store, ids) => store.modelExports.byIds(ids),
  "batchPredictions.byIds": (store, ids) => store.batchPredictions.byIds(ids),
  "artifacts.byHashes": (store, hashes) => store.artifacts.byHashes(hashes),
};

describe("reading many rows by id or key", () => {
  it("takes one statement, whatever is read and however many", async () => {
    const store = await openTestStore();
    const ids = Array.from({ length: 500 }, (_, i) => `id-${i}`);
    const counts: Record<string, number> = {};
    for (const [name, read] of Object.entries(reads)) counts[name] = await statementsOf(() => read(store, ids));
    expect(counts).toEqual(Object.fromEntries(Object.keys(reads).map((name) => [name, 1])));
  });

  it("gives those that exist, of each id", async () => {
    const store = await openTestStore();
    const { run, lease } = await runningRun(store);
    const other = await store.runs.create(newRun(run.datasetId));
    const auc = { split: "test" as const, scenarioKey: "home_feed", taskKey: "click", name: "auc", value: 0.7 };
    await store.metrics.record(lease, null, [auc]);
    expect(new Set((await store.runs.byIds([run.id, other.id, "run_none"])).map(({ id }) => id))).toEqual(
      new Set([run.id, other.id]),
    );
    expect((await store.metrics.finalByRunIds([run.id, other.id])).map(({ runId }) => runId)).toEqual([run.id]);
  });

  it("takes nothing for no ids", async () => {
    const store = await openTestStore();
    await readyDataset(store);
    for (const read of Object.values(reads)) expect(await read(store, [])).toEqual([]);
  });
});
