import Connection from "libsql";
import { describe, expect, it } from "vitest";
import { createServedRecorder } from "../../../src/services/drift/servedRecorder.ts";
import type { ServedRecorder } from "../../../src/services/drift/servedRecorder.ts";
import type { ServedBatch } from "../../../src/services/prediction/servedObserver.ts";
import type { Store } from "../../../src/store/store.ts";
import { claimed, newRun, openTestStore, storeIn, succeededWith, temporaryFolder } from "../../store/testStore.ts";

const today = new Date().toISOString().slice(0, 10);
const always = { from: "2000-01-01", to: "2999-12-31" };

/** Two fields: one of 25 values, one of 2, with an id for all others each. */
const shape = { fields: 2, ids: 29, unknownIds: [25, 28], scenarios: ["home", "search"], tasks: ["click"] };
const facts = { scenarios: shape.scenarios, tasks: shape.tasks, columns: ["user", "tab"] };

/** A version of a model, and the batch in which it answers the rows, each a scenario and an id per field. */
async function served(store: Store) {
  await store.datasets.create({ name: "clicks", sourceFile: "clicks.csv", spec: {} });
  const manifest = { shape, fields: facts.columns.map((column) => ({ column })) };
  const ready = { contentHash: "c0ffee", rows: 1, manifest, artifactHashes: [], counts: [] };
  const dataset = await store.datasets.markReady(await claimed(store), ready);
  await store.runs.create(newRun(dataset.id));
  const lease = await claimed(store);
  const { hash } = await store.artifacts.put(Uint8Array.of(1), "checkpoint");
  await store.runs.succeed(lease, succeededWith(hash));
  const run = await store.runs.get(lease.subjectId);
  const model = await store.models.create({ key: "ranker", name: "ranker", description: "" });
  const { version } = await store.models.createVersion({ model: model.id, runId: run.id, description: "" });
  return (rows: readonly (readonly [number, number, number])[], rowIds?: readonly (string | null)[]): ServedBatch => ({
    version,
    run,
    facts,
    rows: rows.length,
    ids: Int32Array.from(rows.flatMap(([, ...ids]) => ids)),
    numbers: new Float32Array(0),
    scenario: Int32Array.from(rows, ([scenario]) => scenario),
    probabilities: Float32Array.from(rows, (_, row) => (row + 1) / 8),
    taskKeys: ["click"],
    ...(rowIds ? { rowIds } : {}),
  });
}

const log = { error: (message: string, { error }: { error: unknown }) => expect.fail(`${message}: ${String(error)}`) };
const recorderOf = (store: Pick<Store, "datasets" | "served">): ServedRecorder =>
  createServedRecorder({ store, log, flushMs: 600_000 });

const bins = async (store: Store, { version }: ServedBatch) =>
  (await store.served.binsOf(version.id, always))
    .map(({ scenarioKey, column, bin, rows }) => `${scenarioKey} ${column} ${bin}: ${rows}`)
    .sort();

describe("what is served", () => {
  it("is counted by scenario, field and bin: values by their rank, the rarer ones together, unknown ones apart", async () => {
    const store = await openTestStore();
    const batch = await served(store);
    const recorder = recorderOf(store);
    const rows = batch([
      [0, 0, 26],
      [0, 0, 28],
      [0, 19, 27],
      [0, 20, 27],
      [0, 24, 27],
      [1, 25, 26],
    ]);
    expect(recorder.served(rows)).toBeUndefined();
    await recorder.close();
    expect(await bins(store, rows)).toEqual([
      "home tab 0: 1",
      "home tab 1: 3",
      "home tab 21: 1",
      "home user 0: 2",
      "home user 19: 1",
      "home user 20: 2",
      "search tab 0: 1",
      "search user 21: 1",
    ]);
  });

  it("is added up over the servers that count it, and over time", async () => {
    const store = await openTestStore();
    const batch = await served(store);
    const rows = batch([[0, 3, 26]]);
    const [one, other] = [recorderOf(store), recorderOf(store)];
    for (let i = 0; i < 3; i++) one.served(rows);
    other.served(rows);
    await Promise.all([one.flush(), other.flush()]);
    one.served(rows);
    await Promise.all([one.close(), other.close()]);
    expect(await bins(store, rows)).toEqual(["home tab 0: 5", "home user 3: 5"]);
  });

  it("is not lost where the database does not take it, but waits for the next time", async () => {
    const store = await openTestStore();
    const rows = (await served(store))([[0, 3, 26]]);
    let refusals = 1;
    const addBins: Store["served"]["addBins"] = async (some) => {
      if (refusals-- > 0) throw new Error("the disk is full");
      await store.served.addBins(some);
    };
    const said: string[] = [];
    const recorder = createServedRecorder({
      store: { datasets: store.datasets, served: { ...store.served, addBins } },
      log: { error: (message) => said.push(message) },
      flushMs: 600_000,
    });
    recorder.served(rows);
    await expect(recorder.flush()).rejects.toThrow("the disk is full");
    recorder.served(rows);
    await recorder.close();
    expect(said).toEqual(["served rows: they could not be counted"]);
    expect(await bins(store, rows)).toEqual(["home tab 0: 2", "home user 3: 2"]);
  });

  it("of a version that has been purged meanwhile is left out, and the rest is counted", async () => {
    const store = await openTestStore();
    const rows = (await served(store))([[0, 3, 26]], ["a"]);
    const recorder = recorderOf(store);
    const gone = { ...rows, version: { ...rows.version, id: "mdv_gone" } };
    await Promise.all([recorder.served(gone), recorder.served(rows)]);
    await recorder.close();
    expect(await store.served.binsOf("mdv_gone", always)).toEqual([]);
    expect(await bins(store, rows)).toEqual(["home tab 0: 1", "home user 3: 1"]);
  });
});

describe("a row with a name", () => {
  it("is in the database when it is acknowledged, whatever becomes of the process then", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const recorder = recorderOf(store);
    const rows = (await served(store))(
      [
        [0, 0, 26],
        [1, 1, 26],
        [1, 2, 26],
      ],
      ["a", null, "c"],
    );
    await recorder.served(rows);
    const other = new Connection(storeIn(folder).databaseFile);
    const stored = other
      .prepare(`SELECT "rowId", "scenarioKey", "day", "probabilities" FROM "ServedRow" ORDER BY 1`)
      .all();
    other.close();
    expect(stored).toEqual([
      { rowId: "a", scenarioKey: "home", day: today, probabilities: '{"click":0.125}' },
      { rowId: "c", scenarioKey: "search", day: today, probabilities: '{"click":0.375}' },
    ]);
    await recorder.close();
  });

  it("is written together with those that come while others are being written", async () => {
    const store = await openTestStore();
    const batch = await served(store);
    const together: number[] = [];
    const keepRows: Store["served"]["keepRows"] = (rows) => {
      together.push(rows.length);
      return store.served.keepRows(rows);
    };
    const recorder = recorderOf({ datasets: store.datasets, served: { ...store.served, keepRows } });
    await Promise.all(Array.from({ length: 50 }, (_, i) => recorder.served(batch([[0, 0, 26]], [`row ${i}`]))));
    await recorder.close();
    expect(together).toEqual([1, 49]);
  });

  it("that could not be written is a failure of those who wait for it, and of nobody after them", async () => {
    const store = await openTestStore();
    const batch = await served(store);
    let refusals = 1;
    const keepRows: Store["served"]["keepRows"] = async (rows) => {
      if (refusals-- > 0) throw new Error("the disk is full");
      await store.served.keepRows(rows);
    };
    const recorder = recorderOf({ datasets: store.datasets, served: { ...store.served, keepRows } });
    const [first, second] = ["a", "b"].map((id) => recorder.served(batch([[0, 0, 26]], [id])));
    await expect(first).rejects.toThrow("the disk is full");
    await second;
    await recorder.close();
    expect(await store.served.recordOutcomes(batch([]).version.modelId, outcomes("a", "b"))).toEqual([
      "UNKNOWN_ROW",
      "RECORDED",
    ]);
  });

  it("that is answered again counts with the newest answer, and keeps its labels", async () => {
    const store = await openTestStore();
    const batch = await served(store);
    const recorder = recorderOf(store);
    const { modelId, id: versionId } = batch([]).version;
    await recorder.served(batch([[0, 0, 26]], ["a"]));
    await store.served.recordOutcomes(modelId, outcomes("a"));
    await recorder.served(
      batch(
        [
          [1, 0, 26],
          [1, 0, 26],
        ],
        ["a", "a"],
      ),
    );
    await recorder.close();
    expect(await store.served.labelledRows(versionId, always, { first: 10 })).toEqual([
      { day: today, rowId: "a", scenarioKey: "search", probabilities: { click: 0.25 }, labels: { click: 1 } },
    ]);
  });

  it("is forgotten after 30 days", async () => {
    const store = await openTestStore();
    const batch = await served(store);
    const { modelId, id: versionId } = batch([]).version;
    const before = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    await store.served.keepRows(
      [29, 30, 31, 200].map((days) => {
        const row = { rowId: `${days} days`, scenarioKey: "home", day: before(days), probabilities: { click: 0.5 } };
        return { modelId, versionId, ...row };
      }),
    );
    const watched = new AbortController();
    const watching = recorderOf(store).watch(watched.signal);
    watched.abort();
    await watching;
    const told = await store.served.recordOutcomes(modelId, outcomes("29 days", "30 days", "31 days", "200 days"));
    expect(told).toEqual(["RECORDED", "RECORDED", "UNKNOWN_ROW", "UNKNOWN_ROW"]);
  });
});

const outcomes = (...rowIds: string[]) => rowIds.map((rowId) => ({ rowId, task: "click", label: 1 as const }));
