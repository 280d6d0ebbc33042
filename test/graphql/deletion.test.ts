import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { registerDataset, smallInput } from "../server/smallDataset.ts";
import { backbone, pruneModel, trainModel } from "../server/smallModels.ts";
import { newRun } from "../store/testStore.ts";
import { storedDataset, storedExperiment, storedRun } from "../server/storedThings.ts";

let made: MadeServer;
beforeAll(async () => {
  made = await startMadeServer();
});
afterAll(() => made.close());

const deletionOf = `mutation ($id: ID!) {
  deleteNode(input: { id: $id }) { deleted { __typename id deletedAt } userErrors { code field message hint } }
}`;
const restorationOf = `mutation ($id: ID!) {
  restoreNode(input: { id: $id }) { restored { __typename id deletedAt } userErrors { code field } }
}`;

const deleted = async (id: string) => (await made.server.query(deletionOf, { id })).data.deleteNode;
const restored = async (id: string) => (await made.server.query(restorationOf, { id })).data.restoreNode;
/** Null for what is not deleted. */
const deletedAt = async (id: string): Promise<string | null> => {
  const document = `query ($id: ID!) { node(id: $id) { ... on Deletable { deletedAt } } }`;
  return (await made.server.query(document, { id })).data.node.deletedAt;
};

describe("what is deleted", () => {
  it("is left out of the list, read by its id all the same, and comes back when it is restored", async () => {
    const dataset = await storedDataset(made.store, "come_and_go");
    const listed = async () => {
      const { data } = await made.server.query(`{ datasets { nodes { id } } }`);
      return data.datasets.nodes.some(({ id }: { id: string }) => id === dataset);
    };
    expect(await listed()).toBe(true);
    const { deleted: gone } = await deleted(dataset);
    expect(gone).toEqual({ __typename: "Dataset", id: dataset, deletedAt: expect.stringMatching(/^20.*Z$/) });
    expect(await listed()).toBe(false);
    expect(await deletedAt(dataset)).toBe(gone.deletedAt);

    expect((await restored(dataset)).restored).toEqual({ __typename: "Dataset", id: dataset, deletedAt: null });
    expect(await listed()).toBe(true);
  });

  it("may be a scenario, task, run, experiment or model as well", async () => {
    const dataset = await storedDataset(made.store, "all_kinds");
    const run = await storedRun(made.store, dataset, { model: "all kinds" });
    const experiment = await storedExperiment(made.store, dataset, "all kinds of trials");
    await experiment.finish();
    const { data } = await made.server.query(`mutation {
      registerScenario(input: { key: "spare" }) { scenario { id } }
      registerTask(input: { key: "spare" }) { task { id } }
      registerModel(input: { key: "spare" }) { model { id } }
    }`);
    const { registerScenario, registerTask, registerModel } = data;
    const ids = [registerScenario.scenario.id, registerTask.task.id, registerModel.model.id, run, experiment.id];
    const gone = await Promise.all(ids.map(deleted));
    expect(gone.map((answer) => answer.deleted.__typename)).toEqual(["Scenario", "Task", "Model", "Run", "Experiment"]);
    const back = await Promise.all(ids.map(restored));
    expect(back.map((answer) => answer.restored.deletedAt)).toEqual([null, null, null, null, null]);
  });

  it("keeps the instant when it is deleted again; restoring what is not deleted is no fault", async () => {
    const dataset = await storedDataset(made.store, "twice");
    const [first, second] = [await deleted(dataset), await deleted(dataset)];
    expect(second).toEqual(first);
    await restored(dataset);
    expect((await restored(dataset)).restored.deletedAt).toBeNull();
  });

  it("keeps its key", async () => {
    const { data } = await made.server.query(
      `mutation { registerScenario(input: { key: "kept" }) { scenario { id } } }`,
    );
    await deleted(data.registerScenario.scenario.id);
    const refused = await made.server.refused(
      `mutation { registerScenario(input: { key: "kept" }) { scenario { id } } }`,
    );
    expect(refused).toMatchObject({ code: "CONFLICT", field: "input.key" });
  });
});

describe("an experiment", () => {
  it("takes its runs along, and brings those back that went with it", async () => {
    const dataset = await storedDataset(made.store, "trials");
    const { id, run, finish } = await storedExperiment(made.store, dataset, "trial");
    await finish();
    await deleted(id);
    expect(await deletedAt(run)).toBe(await deletedAt(id));
    await restored(id);
    expect(await deletedAt(run)).toBeNull();

    await deleted(run);
    await deleted(id);
    await restored(id);
    expect(await deletedAt(run)).not.toBeNull();
  });
});

describe("what is at work", () => {
  const conflict = (expected: string, busy: string) => ({
    deleted: null,
    userErrors: [
      {
        code: "CONFLICT",
        field: "input.id",
        message: `input.id: expected all work on the ${expected} to have ended, but ${busy} has not`,
        hint: "wait until it has ended, or cancel it",
      },
    ],
  });

  it("cannot be deleted: a run that has not ended, and its dataset", async () => {
    const dataset = await storedDataset(made.store, "queued");
    const search = await storedRun(made.store, dataset, { model: "queued" });
    const { id } = await made.store.runs.create({ ...newRun(dataset), kind: "PRUNE", parentRunId: search });
    expect(await deleted(id)).toEqual(conflict("run", id));
    expect(await deleted(search)).toEqual(conflict("run", "something that is made from it"));
    expect(await deleted(dataset)).toEqual(conflict("dataset", id));
    await made.server.query(`mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { id } } }`, { id });
    for (const ended of [id, search, dataset]) expect((await deleted(ended)).deleted.id).toBe(ended);
  });

  it("cannot be deleted: an experiment that is RUNNING, its runs and its dataset", async () => {
    const dataset = await storedDataset(made.store, "running");
    const { id, run, finish } = await storedExperiment(made.store, dataset, "running");
    expect(await deleted(id)).toEqual(conflict("experiment", id));
    expect(await deleted(run)).toEqual(conflict("run", id));
    expect(await deleted(dataset)).toEqual(conflict("dataset", id));
    await finish();
    expect((await deleted(id)).deleted.id).toBe(id);
  });

  it("cannot be deleted: a dataset that is being imported", async () => {
    const { data } = await made.server.query(registerDataset, { input: { ...smallInput, name: "importing" } });
    const { id } = data.registerDataset.dataset;
    expect(await deleted(id)).toEqual(conflict("dataset", `the import of ${id}`));
    const { jobs } = made.store;
    const job = await jobs.claim({ owner: "test", leaseMs: 60_000 });
    await jobs.fail(job!, { code: "INTERNAL", message: "enough", detail: {} });
  });
});

describe("a deleted thing", () => {
  it.each(["what", "run_0", "tok_1", "constructor_1"])("cannot be %s, which is no id of anything", async (id) => {
    expect((await deleted(id)).userErrors).toMatchObject([{ code: "NOT_FOUND", field: "input.id" }]);
    expect((await restored(id)).userErrors).toMatchObject([{ code: "NOT_FOUND", field: "input.id" }]);
  });

  it("is the base of nothing new, neither a dataset nor a run", async () => {
    const { query } = made.server;
    const dataset = await storedDataset(made.store, "out_of_use");
    const run = await storedRun(made.store, dataset, { model: "out of use" });
    const whole = await storedDataset(made.store, "in_use");
    const goneRun = await storedRun(made.store, whole, { model: "gone" });
    for (const id of [run, dataset, goneRun]) await deleted(id);
    await restored(run);

    const replay = `mutation ($input: ReplayRunInput!) { replayRun(input: $input) { run { id } } }`;
    const baselines = `mutation ($input: TrainBaselinesInput!) { trainBaselines(input: $input) { runs { id } } }`;
    const batch = `mutation ($input: PredictBatchInput!) { predictBatch(input: $input) { batchPrediction { id } } }`;
    const version = `mutation ($input: CreateModelVersionInput!) { createModelVersion(input: $input) { modelVersion { id } } }`;
    const experiment = `mutation ($input: CreateExperimentInput!) { createExperiment(input: $input) { experiment { id } } }`;
    await query(`mutation { registerModel(input: { key: "user" }) { model { id } } }`);
    const attempts: [string, object, string][] = [
      [trainModel, { dataset, backbone }, "input.dataset"],
      [
        experiment,
        { name: "new", datasets: [dataset], configurations: [{ name: "a", backbone }] },
        "input.datasets[0]",
      ],
      [pruneModel, { run: goneRun }, "input.run"],
      [pruneModel, { run }, "input.run"],
      [replay, { run: goneRun }, "input.run"],
      [replay, { run }, "input.run"],
      [baselines, { run: goneRun }, "input.run"],
      [baselines, { run }, "input.run"],
      [batch, { run: goneRun, file: "small.csv" }, "input.run"],
      [version, { model: "user", run: goneRun }, "input.run"],
    ];
    const before = (await query(`{ runs { totalCount } }`)).data;
    for (const [document, input, field] of attempts) {
      expect(await made.server.refused(document, { input })).toMatchObject({ code: "CONFLICT", field });
    }
    expect((await query(`{ runs { totalCount } }`)).data).toEqual(before);
    expect(await made.server.refused(trainModel, { input: { dataset, backbone } })).toMatchObject({
      message: expect.stringContaining(`expected a dataset that is not deleted, but ${dataset} was deleted at 20`),
      hint: "take another one, or restore it with `restoreNode`",
    });
  });

  it("is no scenario or task of a new dataset", async () => {
    const { data } = await made.server.query(`{ scenario(key: "search") { id } task(key: "like") { id } }`);
    for (const [id, field] of [
      [data.scenario.id, "input.scenario.values[1].scenario"],
      [data.task.id, "input.labels[1].task"],
    ]) {
      await deleted(id);
      const input = { ...smallInput, name: "new" };
      expect(await made.server.refused(registerDataset, { input })).toMatchObject({ code: "CONFLICT", field });
      await restored(id);
    }
  });
});

describe("registering the bytes of a deleted dataset", () => {
  it("restores it", async () => {
    const input = { ...smallInput, name: "again" };
    const dataset = await made.imported(input);
    await deleted(dataset);
    const { data } = await made.server.query(registerDataset, { input });
    expect(data.registerDataset).toEqual({ dataset: { id: dataset, status: "READY" }, created: false });
    expect(await deletedAt(dataset)).toBeNull();
  });
});
