import { access } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { storedDataset, storedEnd, storedExperiment, storedRun } from "../server/storedThings.ts";
import { claimed, newRun } from "../store/testStore.ts";

let made: MadeServer;
beforeAll(async () => {
  made = await startMadeServer();
});
afterAll(() => made.close());

const planOf = `query ($ids: [ID!]!) {
  purgePlan(ids: $ids) { goes { kind count ids } blockers { id needs reason deletedAt } blockerCount files bytes fingerprint }
}`;
const purgeOf = `mutation ($input: PurgeInput!) {
  purge(input: $input) { gone { kind count ids } files bytes userErrors { code field message hint } }
}`;

const plan = async (...ids: string[]) => (await made.server.query(planOf, { ids })).data.purgePlan;
const purge = async (fingerprint: string, ...ids: string[]) =>
  (await made.server.query(purgeOf, { input: { ids, fingerprint } })).data.purge;
const remove = async (...ids: string[]): Promise<void> => {
  for (const id of ids) {
    const document = `mutation ($id: ID!) { deleteNode(input: { id: $id }) { deleted { id } } }`;
    const { errors } = await made.server.query(document, { id });
    if (errors) throw new Error(errors[0]!.message);
  }
};
const isThere = async (id: string): Promise<boolean> => {
  const { data } = await made.server.query(`query ($id: ID!) { node(id: $id) { id } }`, { id });
  return data.node !== null;
};
const isOnDisk = (hash: string): Promise<boolean> =>
  access(made.store.artifacts.path(hash)).then(
    () => true,
    () => false,
  );
const checkpointOf = async (run: string): Promise<string> => (await made.store.runs.get(run)).checkpointHash!;

describe("a purge", () => {
  it("says beforehand what goes and how many bytes come free, and then does it", async () => {
    const dataset = await storedDataset(made.store, "whole", 1000);
    const run = await storedRun(made.store, dataset, { model: "whole", bytes: 50 });
    const document = `mutation ($id: ID!) { setTags(input: { id: $id, tags: [{ key: "a" }] }) { annotated { id } } }`;
    await made.server.query(document, { id: run });
    await remove(run, dataset);
    const planned = await plan(run, dataset);
    const goes = [
      { kind: "DATASET", count: 1, ids: [dataset] },
      { kind: "RUN", count: 1, ids: [run] },
      { kind: "METRIC", count: 1, ids: [] },
      { kind: "EVENT", count: 3, ids: [] },
      { kind: "TAG", count: 1, ids: [] },
    ];
    expect(planned).toMatchObject({ goes, blockers: [], blockerCount: 0, files: 3, bytes: 1100 });
    const checkpoint = await checkpointOf(run);
    expect(await isOnDisk(checkpoint)).toBe(true);

    // In any order.
    expect(await purge(planned.fingerprint, dataset, run)).toEqual({
      gone: goes,
      files: 3,
      bytes: 1100,
      userErrors: [],
    });
    expect([await isThere(run), await isThere(dataset), await isOnDisk(checkpoint)]).toEqual([false, false, false]);
    expect(await made.server.refused(planOf, { ids: [run] })).toMatchObject({ code: "NOT_FOUND", field: "ids[0]" });
  });

  it("of an imported dataset frees its encoded rows, and leaves the file it came from", async () => {
    const dataset = await made.imported();
    await remove(dataset);
    const { files, bytes, fingerprint } = await plan(dataset);
    expect(files).toBe(4);
    expect(await purge(fingerprint, dataset)).toMatchObject({ files, bytes });
    await access(join(made.server.files, "made.csv"));
  });

  it("leaves files that others need, and does not count them", async () => {
    const dataset = await storedDataset(made.store, "shared");
    const kept = await storedRun(made.store, dataset, { model: "same weights", bytes: 70 });
    const gone = await storedRun(made.store, dataset, { model: "same weights", bytes: 70, seed: 2 });
    await remove(gone);
    const { files, bytes, fingerprint } = await plan(gone);
    expect({ files, bytes }).toEqual({ files: 0, bytes: 0 });
    expect((await purge(fingerprint, gone)).files).toBe(0);
    expect(await isOnDisk(await checkpointOf(kept))).toBe(true);
  });

  it("takes scenarios and tasks, which nothing names any more", async () => {
    const dataset = await storedDataset(made.store, "named");
    const { data } = await made.server.query(`{ scenario(key: "named_feed") { id } task(key: "named_click") { id } }`);
    const [scenario, task] = [data.scenario.id, data.task.id];
    await remove(scenario, task);
    const blocked = await plan(scenario, task);
    expect(blocked.blockers).toEqual(
      [scenario, task].sort().map((needs) => ({ id: dataset, needs, reason: "DEPENDS", deletedAt: null })),
    );
    await remove(dataset);
    const all = [scenario, task, dataset];
    const { fingerprint, blockerCount } = await plan(...all);
    expect(blockerCount).toBe(0);
    await purge(fingerprint, ...all);
    expect(await Promise.all(all.map(isThere))).toEqual([false, false, false]);
    expect((await made.server.query(`{ scenario(key: "named_feed") { id } }`)).data.scenario).toBeNull();
  });

  it("of an experiment takes its trials and runs, and of a model its versions and aliases", async () => {
    const dataset = await storedDataset(made.store, "parts");
    const { id, run, trial, finish } = await storedExperiment(made.store, dataset, "part");
    await finish();
    const { data } = await made.server.query(
      `mutation ($run: ID!) {
        registerModel(input: { key: "parts" }) { model { id } }
        createModelVersion(input: { model: "parts", run: $run }) { modelVersion { id } }
        setModelAlias(input: { model: "parts", alias: "champion", version: 1 }) { model { id } }
      }`,
      { run },
    );
    const { model } = data.registerModel;
    await remove(id, model.id);
    const planned = await plan(id, model.id);
    expect(planned.goes.slice(0, 5)).toEqual([
      { kind: "RUN", count: 1, ids: [run] },
      { kind: "EXPERIMENT", count: 1, ids: [id] },
      { kind: "TRIAL", count: 1, ids: [trial] },
      { kind: "MODEL", count: 1, ids: [model.id] },
      { kind: "MODEL_VERSION", count: 1, ids: [data.createModelVersion.modelVersion.id] },
    ]);
    await purge(planned.fingerprint, id, model.id);
    const all = [id, run, trial, model.id, data.createModelVersion.modelVersion.id];
    expect(await Promise.all(all.map(isThere))).toEqual(all.map(() => false));
  });

  it("of a run takes its batch predictions with their files", async () => {
    const dataset = await storedDataset(made.store, "batch");
    const run = await storedRun(made.store, dataset, { model: "batch" });
    const source = { runId: run, sourceFile: "small.csv", sourceHash: "0", format: "JSONL" } as const;
    const batch = await made.store.batchPredictions.create(source);
    const { hash } = await made.store.artifacts.put(new TextEncoder().encode("predicted"), "batch");
    await made.store.batchPredictions.succeed(await claimed(made.store), hash);
    await remove(run);
    const planned = await plan(run);
    expect(planned.goes).toContainEqual({ kind: "BATCH_PREDICTION", count: 1, ids: [batch.id] });
    expect(await purge(planned.fingerprint, run)).toMatchObject({ files: 3, bytes: 29 });
    expect([await isThere(batch.id), await isOnDisk(hash)]).toEqual([false, false]);
  });
});

describe("in the way of a purge", () => {
  it("is what is not deleted", async () => {
    const dataset = await storedDataset(made.store, "not_deleted");
    const { blockers, fingerprint } = await plan(dataset);
    expect(blockers).toEqual([{ id: dataset, needs: dataset, reason: "NOT_DELETED", deletedAt: null }]);
    expect((await purge(fingerprint, dataset)).userErrors).toEqual([
      {
        code: "CONFLICT",
        field: "input.ids",
        message: `input.ids: expected things that are deleted, together with what depends on them, but ${dataset} is not deleted`,
        hint: "ask `purgePlan` for all that is in the way; delete it and name it too",
      },
    ]);
    expect(await isThere(dataset)).toBe(true);
  });

  it("is what depends on it and is not named, also where that is deleted", async () => {
    const { store } = made;
    const dataset = await storedDataset(store, "depended");
    const search = await storedRun(store, dataset, { model: "search" });
    const prune = await storedRun(store, dataset, { model: "prune", kind: "PRUNE", parentRunId: search });
    const replay = await storedRun(store, dataset, { model: "search", replayOfRunId: search });
    await remove(search, prune);
    const { data } = await made.server.query(`query ($id: ID!) { run(id: $id) { deletedAt } }`, { id: prune });
    expect((await plan(search)).blockers).toEqual([
      { id: prune, needs: search, reason: "DEPENDS", deletedAt: data.run.deletedAt },
      { id: replay, needs: search, reason: "DEPENDS", deletedAt: null },
    ]);
    await remove(replay, dataset);
    expect((await plan(dataset)).blockerCount).toBe(3);
    expect((await plan(dataset, search, prune, replay)).blockerCount).toBe(0);
  });

  it("is the experiment of a run, a run of an experiment that is not deleted, and the model of a version", async () => {
    const dataset = await storedDataset(made.store, "tied");
    const { id, run, finish } = await storedExperiment(made.store, dataset, "tied");
    await finish();
    await made.server.query(
      `mutation ($run: ID!) {
        registerModel(input: { key: "tied" }) { model { id } }
        createModelVersion(input: { model: "tied", run: $run }) { modelVersion { id } }
      }`,
      { run },
    );
    const model = (await made.server.query(`{ model(key: "tied") { id } }`)).data.model.id;
    await remove(run);
    const depends = { reason: "DEPENDS", deletedAt: null };
    expect((await plan(run)).blockers).toEqual([
      { id, needs: run, ...depends },
      { id: model, needs: run, ...depends },
    ]);
    await made.server.query(`mutation ($id: ID!) { restoreNode(input: { id: $id }) { restored { id } } }`, { id: run });
    await made.store.deletion.delete(id);
    await made.store.deletion.restore(run);
    expect((await plan(id)).blockers).toEqual([{ id: run, needs: id, ...depends }]);
    await remove(run, dataset);
    expect((await plan(dataset, run)).blockers.map((blocker: { needs: string }) => blocker.needs)).toEqual([
      dataset,
      run,
      run,
    ]);
  });

  it("is a change since the plan was made", async () => {
    const dataset = await storedDataset(made.store, "changed");
    await remove(dataset);
    const { fingerprint } = await plan(dataset);
    expect((await plan(dataset)).fingerprint).toBe(fingerprint);
    await made.store.annotations.setTags({ id: dataset, tags: [{ key: "keep", value: "" }] });
    const { userErrors } = await purge(fingerprint, dataset);
    expect(userErrors).toMatchObject([{ code: "CONFLICT", field: "input.fingerprint" }]);
    expect(await isThere(dataset)).toBe(true);
    const now = await plan(dataset);
    expect(now.fingerprint).not.toBe(fingerprint);
    expect((await purge(now.fingerprint, dataset)).userErrors).toEqual([]);
  });

  it("is an id of something else, or of nothing", async () => {
    expect(await made.server.refused(planOf, { ids: ["tok_1"] })).toMatchObject({
      code: "INVALID_INPUT",
      field: "ids[0]",
      message: "ids[0]: expected the id of a scenario, task, dataset, run, experiment or model, got tok_1",
    });
    const { userErrors } = await purge("", "run_0");
    expect(userErrors).toMatchObject([{ code: "NOT_FOUND", field: "input.ids[0]" }]);
  });
});

describe("a request that is sent again", () => {
  it("after what it made was purged, is a conflict", async () => {
    const document = `mutation {
      registerTask(input: { key: "once", idempotencyKey: "purged" }) { task { id } userErrors { code field message } }
    }`;
    const { id } = (await made.server.query(document)).data.registerTask.task;
    await remove(id);
    await purge((await plan(id)).fingerprint, id);
    expect((await made.server.query(document)).data.registerTask).toEqual({
      task: null,
      userErrors: [
        {
          code: "CONFLICT",
          field: "input.idempotencyKey",
          message: `input.idempotencyKey: expected the key of something that is there, but what was made with it, ${id}, has been purged`,
        },
      ],
    });
  });
});

describe("while a worker is at work, a purge", () => {
  it("leaves what was written just now to the sweep", async () => {
    const dataset = await storedDataset(made.store, "busy");
    const run = await storedRun(made.store, dataset, { model: "busy" });
    await remove(run);
    const other = await made.store.runs.create({ ...newRun(dataset), seed: 8 });
    const lease = await claimed(made.store);
    const checkpoint = await checkpointOf(run);
    const { files, fingerprint } = await plan(run);
    expect(files).toBe(2);
    expect(await purge(fingerprint, run)).toMatchObject({ files: 0, bytes: 0, userErrors: [] });
    expect([await isThere(run), await isOnDisk(checkpoint)]).toEqual([false, true]);
    await made.store.jobs.release(lease);
    await storedEnd(made.store, "other");
    expect(await isThere(other.id)).toBe(true);
  });
});
