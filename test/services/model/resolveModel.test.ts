/** From `ranker@champion` to the version that answers, and how soon a change is seen. */
import { beforeEach, expect, it } from "vitest";
import { createModelResolver, resolveModel } from "../../../src/services/model/resolveModel.ts";
import type { ModelResolver } from "../../../src/services/model/resolveModel.ts";
import type { Store } from "../../../src/store/store.ts";
import { claimed, newRun, openTestStore, readyDataset, succeededWith } from "../../store/testStore.ts";

let store: Store;
let runs: string[];
/** Milliseconds. */
let clock: number;
let resolver: ModelResolver;

beforeEach(async () => {
  store = await openTestStore();
  const { id: dataset } = await readyDataset(store);
  const { hash } = await store.artifacts.put(new Uint8Array([1]), "checkpoint");
  await store.models.create({ key: "ranker", name: "Ranker", description: "" });
  runs = [];
  for (const seed of [1, 2, 3]) {
    const { id } = await store.runs.create({ ...newRun(dataset), seed });
    await store.runs.succeed(await claimed(store), succeededWith(hash));
    await store.models.createVersion({ model: "ranker", runId: id, description: "" });
    runs.push(id);
  }
  clock = 0;
  resolver = createModelResolver(store, () => clock);
});

const move = (name: string, version: number) => store.models.moveAlias({ model: "ranker", name, version });
const number = async (name: string) => (await resolver.resolve(name, "model")).version.number;

it("A model is named by its key alone, by an alias, by `latest` or by the number of a version", async () => {
  expect(await resolveModel(store, "ranker", "model")).toMatchObject({
    model: { key: "ranker" },
    version: { number: 3 },
    run: { id: runs[2] },
    alias: null,
    compared: null,
  });
  await move("champion", 1);
  await move("challenger", 2);
  expect(await resolveModel(store, "ranker", "model")).toMatchObject({ version: { number: 1 }, alias: "champion" });
  expect(await resolveModel(store, "ranker@challenger", "model")).toMatchObject({ run: { id: runs[1] } });
  expect(await resolveModel(store, "ranker@latest", "model")).toMatchObject({ version: { number: 3 }, alias: null });
  expect(await resolveModel(store, "ranker@2", "model")).toMatchObject({ version: { number: 2 }, alias: null });
});

it("A second version comes with its kind and share, unless it is the same one", async () => {
  await move("champion", 1);
  await move("challenger", 1);
  await store.modelTraffic.set({ model: "ranker", alias: "champion", other: "challenger", kind: "SHADOW", share: 0.1 });
  expect((await resolveModel(store, "ranker", "model")).compared).toBeNull();
  await move("challenger", 2);
  const compared = { version: { number: 2 }, run: { id: runs[1] }, kind: "SHADOW", share: 0.1 };
  expect(await resolveModel(store, "ranker", "model")).toMatchObject({ version: { number: 1 }, compared });
  expect((await resolveModel(store, "ranker@1", "model")).compared).toBeNull();
});

it.each([
  ["other", "model other: expected the id or key of a model, but there is none"],
  ["ranker@other", "alias other: expected an alias of model ranker, but there is none"],
  ["ranker@4", "version 4: expected the number of a version of model ranker, but there is none"],
])("%s is not there, and the error says where it stands", async (name, message) => {
  const detail = { field: "input.model" };
  await expect(resolver.resolve(name, "input.model")).rejects.toMatchObject({ code: "NOT_FOUND", message, detail });
});

it("Nothing is asked for again within a second; what another process has changed is seen after it", async () => {
  await move("champion", 1);
  expect(await number("ranker")).toBe(1);
  await move("champion", 2);
  clock = 999;
  expect(await number("ranker")).toBe(1);
  clock = 1_000;
  expect(await Promise.all([number("ranker"), number("ranker@champion")])).toEqual([2, 2]);
  const { id } = (await store.models.byKeys(["ranker"]))[0]!;
  await store.deletion.delete(id);
  clock = 2_000;
  await expect(number("ranker")).rejects.toThrow("model ranker: expected the id or key of a model, but there is none");
});

it("What this process has changed is seen at once, also by a request that was half answered", async () => {
  await move("champion", 1);
  const begun = number("ranker");
  await move("champion", 2);
  resolver.forget();
  await begun;
  expect(await number("ranker")).toBe(2);
});
