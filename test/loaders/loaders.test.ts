import { describe, expect, it } from "vitest";
import { createLoaders } from "../../src/loaders/loaders.ts";
import type { Run, Scenario } from "../../src/store/rows.ts";
import type { Store } from "../../src/store/store.ts";

/** A store that knows two scenarios and three runs, and writes down what it is asked. */
function countingStore(): { store: Store; asked: string[][] } {
  const asked: string[][] = [];
  const answer =
    <Row>(rows: Row[]) =>
    (keys: readonly string[]): Promise<Row[]> => {
      asked.push([...keys]);
      return Promise.resolve(rows);
    };
  const scenarios = [{ key: "search" }, { key: "home" }] as Scenario[];
  const runs = [
    { id: "run_3", datasetId: "ds_1" },
    { id: "run_2", datasetId: "ds_2" },
    { id: "run_1", datasetId: "ds_1" },
  ] as Run[];
  const nothing = {};
  const parts = { tasks: nothing, datasets: nothing, metrics: nothing, flows: nothing, experiments: nothing };
  const store = {
    ...parts,
    scenarios: { byKeys: answer(scenarios) },
    runs: { byDatasetIds: answer(runs) },
  } as unknown as Store;
  return { store, asked };
}

describe("a loader", () => {
  it("asks the store once for all keys of a moment, and gives each its row or null", async () => {
    const { store, asked } = countingStore();
    const { scenarioByKey } = createLoaders(store);
    const rows = await Promise.all(["home", "none", "search", "home"].map((key) => scenarioByKey.load(key)));
    expect(rows).toEqual([{ key: "home" }, null, { key: "search" }, { key: "home" }]);
    expect(asked).toEqual([["home", "none", "search"]]);
  });

  it("gives each key all its rows, in the order of the store", async () => {
    const { store, asked } = countingStore();
    const { datasetRuns } = createLoaders(store);
    const rows = await Promise.all(["ds_1", "ds_2", "ds_3"].map((id) => datasetRuns.load(id)));
    expect(rows.map((runs) => runs.map(({ id }) => id))).toEqual([["run_3", "run_1"], ["run_2"], []]);
    expect(asked).toHaveLength(1);
  });

  it("remembers nothing beyond its request", async () => {
    const { store, asked } = countingStore();
    await createLoaders(store).scenarioByKey.load("home");
    await createLoaders(store).scenarioByKey.load("home");
    expect(asked).toHaveLength(2);
  });
});
