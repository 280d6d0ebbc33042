import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MadeServer } from "../server/madeRuns.ts";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import { newRun } from "../store/testStore.ts";

let made: MadeServer;
let succeeded: string;
let queued: string;
let spare: string;

beforeAll(async () => {
  made = await startMadeServer();
  const dataset = await made.imported();
  succeeded = await madeRun(made.store, { dataset, seed: 1, skill: 1 });
  spare = await madeRun(made.store, { dataset, seed: 2, skill: 1 });
  queued = (await made.store.runs.create(newRun(dataset))).id;
  await made.server.query(
    `mutation ($run: ID!) {
    registerModel(input: { key: "ranker" }) { model { id } }
    createModelVersion(input: { model: "ranker", run: $run }) { created }
    setModelAlias(input: { model: "ranker", alias: "champion", version: 1 }) { alias { name } }
  }`,
    { run: succeeded },
  );
});
afterAll(() => made.close());

const all = `{ models { nodes { key versions { nodes { number } } aliases { name version { number } } } } }`;
const unchanged = {
  data: {
    models: {
      nodes: [
        {
          key: "ranker",
          versions: { nodes: [{ number: 1 }] },
          aliases: [{ name: "champion", version: { number: 1 } }],
        },
      ],
    },
  },
};

const createVersion = `mutation ($input: CreateModelVersionInput!) {
  createModelVersion(input: $input) { modelVersion { id } }
}`;
const setAlias = `mutation ($input: SetModelAliasInput!) { setModelAlias(input: $input) { alias { name } } }`;
const removeAlias = `mutation ($input: RemoveModelAliasInput!) { removeModelAlias(input: $input) { model { id } } }`;

describe("a model is refused, and nothing is registered, where", () => {
  it.each([
    ["is taken", "ranker", "CONFLICT", "a key no model has"],
    ["is none", "Ranker", "INVALID_INPUT", "1 to 63 lower-case letters, digits, `-` and `_`, a letter or digit first"],
    ["could be an id", `mdl_${"0".repeat(32)}`, "INVALID_INPUT", "a key that does not look like an id"],
  ])("its key %s", async (_, key, code, expected) => {
    const register = `mutation ($key: String!) { registerModel(input: { key: $key }) { model { id } } }`;
    expect(await made.server.refused(register, { key })).toMatchObject({ code, field: "input.key", expected });
    expect(await made.server.query(all)).toEqual(unchanged);
  });
});

describe("a version is refused, and nothing is made, where", () => {
  it("the run has not SUCCEEDED", async () => {
    expect(await made.server.refused(createVersion, { input: { model: "ranker", run: queued } })).toEqual({
      message: `run ${queued}: expected a run in state SUCCEEDED, but it is QUEUED`,
      code: "CONFLICT",
      field: "input.run",
      expected: "a run in state SUCCEEDED",
      received: "QUEUED",
      hint: "versions come from finished models; wait for its end, or train it again",
    });
    expect(await made.server.query(all)).toEqual(unchanged);
  });

  it("there is no such run, or no such model", async () => {
    expect(await made.server.refused(createVersion, { input: { model: "ranker", run: "run_0" } })).toMatchObject({
      code: "NOT_FOUND",
      field: "input.run",
    });
    expect(await made.server.refused(createVersion, { input: { model: "other", run: succeeded } })).toMatchObject({
      message: "model other: expected the id or key of a model, but there is none",
      code: "NOT_FOUND",
      field: "input.model",
    });
    expect(await made.server.query(all)).toEqual(unchanged);
  });

  it("the model or the run is deleted", async () => {
    const move = (mutation: string, id: string) =>
      made.server.query(`mutation ($id: ID!) { ${mutation}(input: { id: $id }) { __typename } }`, { id });
    const { data } = await made.server.query(`{ model(key: "ranker") { id } }`);
    const input = { model: "ranker", run: spare };
    for (const [id, field] of [
      [data.model.id, "input.model"],
      [spare, "input.run"],
    ]) {
      await move("deleteNode", id);
      expect(await made.server.refused(createVersion, { input })).toMatchObject({ code: "CONFLICT", field });
      await move("restoreNode", id);
    }
    expect(await made.server.query(all)).toEqual(unchanged);
  });
});

describe("an alias stays where it is where", () => {
  it.each(["latest", "3", "3rd", "Champion", ""])("its name is %j", async (alias) => {
    expect(await made.server.refused(setAlias, { input: { model: "ranker", alias, version: 1 } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.alias",
    });
    expect(await made.server.query(all)).toEqual(unchanged);
  });

  it("the model has no such version", async () => {
    const input = { model: "ranker", alias: "champion", version: 2 };
    expect(await made.server.refused(setAlias, { input })).toEqual({
      message: "version 2: expected the number of a version of model ranker, but there is none",
      code: "NOT_FOUND",
      field: "input.version",
      expected: "the number of a version of model ranker",
      received: "2",
    });
    expect(await made.server.query(all)).toEqual(unchanged);
  });

  it.each([
    [{ alias: "champion", expectedVersion: 0 }, "it to stand for no version", "version 1"],
    [{ alias: "champion", expectedVersion: 2 }, "it to stand for version 2", "version 1"],
    [{ alias: "other", expectedVersion: 1 }, "it to stand for version 1", "no version"],
  ])("it does not stand for what was expected: %j", async (given, expected, received) => {
    const conflict = { code: "CONFLICT", field: "input.expectedVersion", expected, received };
    const input = { model: "ranker", ...given };
    expect(await made.server.refused(setAlias, { input: { ...input, version: 1 } })).toMatchObject(conflict);
    expect(await made.server.refused(removeAlias, { input })).toMatchObject(conflict);
    expect(await made.server.query(all)).toEqual(unchanged);
  });

  it("one is to be taken away that is not there", async () => {
    expect(await made.server.refused(removeAlias, { input: { model: "ranker", alias: "other" } })).toMatchObject({
      message: "alias other: expected an alias of model ranker, but there is none",
      code: "NOT_FOUND",
      field: "input.alias",
    });
    expect(await made.server.query(all)).toEqual(unchanged);
  });
});

describe("a promotion rule is refused, and nothing is kept, where", () => {
  const add = `mutation ($input: AddPromotionRuleInput!) { addPromotionRule(input: $input) { promotionRule { id } } }`;
  const notWorse = { kind: "CELL_METRIC_NOT_WORSE", metric: "AUC" };

  it.each([
    ["its metric is missing", { kind: "CELL_METRIC_NOT_WORSE" }, "input.rule.metric"],
    ["its metric says nothing of better or worse", { ...notWorse, metric: "CALIBRATION" }, "input.rule.metric"],
    ["its tolerance is below 0", { ...notWorse, tolerance: -0.1 }, "input.rule.tolerance"],
    ["it has a member of another kind", { kind: "SAME_DATASET", bound: 1 }, "input.rule.bound"],
    ["its bound is missing", { kind: "METRIC_AT_LEAST", metric: "GAUC" }, "input.rule.bound"],
    ["its time is no time", { kind: "LATENCY_P99_BELOW", milliseconds: 0 }, "input.rule.milliseconds"],
  ])("%s", async (_, rule, field) => {
    const input = { model: "ranker", alias: "champion", rule };
    expect(await made.server.refused(add, { input })).toMatchObject({ code: "INVALID_INPUT", field });
  });

  it("there is no such model or rule", async () => {
    const input = { model: "other", alias: "champion", rule: notWorse };
    expect(await made.server.refused(add, { input })).toMatchObject({ code: "NOT_FOUND", field: "input.model" });
    const remove = `mutation { removePromotionRule(input: { rule: "prl_0" }) { model { id } } }`;
    expect(await made.server.refused(remove)).toMatchObject({ code: "NOT_FOUND", field: "input.rule" });
    expect((await made.server.query(`{ models { nodes { promotionRules { id } } } }`)).data.models.nodes).toEqual([
      { promotionRules: [] },
    ]);
  });
});

describe("traffic is refused, and nothing is changed, where", () => {
  const set = `mutation ($input: SetModelTrafficInput!) { setModelTraffic(input: $input) { model { id } } }`;

  it.each([
    ["the second version is not there", { other: "9" }, "NOT_FOUND", "input.other"],
    ["there is no such second alias", { other: "nobody" }, "NOT_FOUND", "input.other"],
    ["the two are the same alias", { other: "champion" }, "INVALID_INPUT", "input.other"],
    ["the second is neither", { other: "Nobody!" }, "INVALID_INPUT", "input.other"],
    ["there is no such alias", { alias: "nobody" }, "NOT_FOUND", "input.alias"],
    ["the share is more than all", { share: 1.5 }, "INVALID_INPUT", "input.share"],
    ["there is none of the expected version", { expectedVersion: 3 }, "CONFLICT", "input.expectedVersion"],
  ])("%s", async (_, changes, code, field) => {
    const input = { model: "ranker", alias: "champion", other: "1", kind: "SHADOW", share: 0.5, ...changes };
    expect(await made.server.refused(set, { input })).toMatchObject({ code, field });
    expect((await made.server.query(`{ models { nodes { traffic { alias } } } }`)).data.models.nodes).toEqual([
      { traffic: [] },
    ]);
  });

  it("there is none to be taken away", async () => {
    const remove = `mutation { removeModelTraffic(input: { model: "ranker", alias: "champion" }) { model { id } } }`;
    expect(await made.server.refused(remove)).toMatchObject({ code: "NOT_FOUND", field: "input.alias" });
  });
});
