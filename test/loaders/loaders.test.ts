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
    { id: "run_3", parentRunId: "run_a" },
    { id: "run_2", parentRunId: "run_b" },
    { id: "run_1", parentRunId: "run_a" },
  ] as Run[];
  const onDatasets = [
    { id: "run_3", datasetId: "ds_1" },
    { id: "run_2", datasetId: "ds_2" },
    { id: "run_1", datasetId: "ds_1" },
  ] as Run[];
  const known: Readonly<Record<string, object>> = {
    scenarios: { byKeys: answer(scenarios) },
    runs: {
      byParentIds: answer(runs),
      pagesByDatasetIds: (ids: readonly string[], { first }: { first: number }) =>
        answer(onDatasets)([...ids, `first ${first}`]),
    },
  };
  // Nothing else is asked.
  const store = new Proxy(known, { get: (parts, name) => parts[String(name)] ?? {} });
  return { store: store as unknown as Store, asked };
}

describe("a loader", () => {
  it("asks the store once for all keys of a moment, and gives each its row or null", async () => {
    const { store, asked } = countingStore();
    const { scenarioByKey } = createLoaders(store, new AbortController().signal);
    const rows = await Promise.all(["home", "none", "search", "home"].map((key) => scenarioByKey.load(key)));
    expect(rows).toEqual([{ key: "home" }, null, { key: "search" }, { key: "home" }]);
    expect(asked).toEqual([["home", "none", "search"]]);
  });

  it("gives each key all its rows, in the order of the store", async () => {
    const { store, asked } = countingStore();
    const { runChildren } = createLoaders(store, new AbortController().signal);
    const rows = await Promise.all(["run_a", "run_b", "run_c"].map((id) => runChildren.load(id)));
    expect(rows.map((runs) => runs.map(({ id }) => id))).toEqual([["run_3", "run_1"], ["run_2"], []]);
    expect(asked).toHaveLength(1);
  });

  it("gives each key its page, and asks once for every page that is as long", async () => {
    const { store, asked } = countingStore();
    const { lists } = createLoaders(store, new AbortController().signal);
    const read = (id: string, first: number) => lists.datasetRuns(id).read({ first });
    const pages = await Promise.all([read("ds_1", 1), read("ds_2", 1), read("ds_3", 1), read("ds_1", 2)]);
    expect(pages.map(({ rows, hasNextPage }) => [...rows.map(({ id }) => id), hasNextPage])).toEqual([
      ["run_3", true],
      ["run_2", false],
      [false],
      ["run_3", "run_1", false],
    ]);
    expect(asked).toEqual([
      ["ds_1", "ds_2", "ds_3", "first 1"],
      ["ds_1", "first 2"],
    ]);
  });

  it("remembers nothing beyond its request", async () => {
    const { store, asked } = countingStore();
    await createLoaders(store, new AbortController().signal).scenarioByKey.load("home");
    await createLoaders(store, new AbortController().signal).scenarioByKey.load("home");
    expect(asked).toHaveLength(2);
  });
});
