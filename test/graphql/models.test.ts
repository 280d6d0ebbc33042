/** Models under keys of their own, their versions from runs, and aliases that stand for a version. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hearStatements } from "../../bench/statements.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";

let made: MadeServer;
let runs: string[];

beforeAll(async () => {
  made = await startMadeServer();
  const dataset = await made.imported();
  runs = [];
  for (const seed of [1, 2, 3, 4, 5, 6]) runs.push(await madeRun(made.store, { dataset, seed, skill: 1 }));
});
afterAll(() => made.close());

/** The data of a request that must not fail. */
async function ask(document: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { data, errors } = await made.server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const createVersion = `mutation ($input: CreateModelVersionInput!) {
  createModelVersion(input: $input) { created modelVersion { id number run { id } description } }
}`;
const setAlias = `mutation ($input: SetModelAliasInput!) {
  setModelAlias(input: $input) { model { key } alias { name version { number } } }
}`;

describe("a model", () => {
  it("is registered under a key, and has no versions then", async () => {
    const data = await ask(`mutation {
      registerModel(input: { key: "home_ranker", description: "The first page." }) {
        model { key name description latestVersion { number } versions { totalCount } aliases { name } deletedAt }
      }
    }`);
    expect(data.registerModel.model).toEqual({
      key: "home_ranker",
      name: "home_ranker",
      description: "The first page.",
      latestVersion: null,
      versions: { totalCount: 0 },
      aliases: [],
      deletedAt: null,
    });
  });

  it("is read by key and by global id", async () => {
    const { model } = await ask(`{ model(key: "home_ranker") { id } }`);
    expect(model.id).toMatch(/^mdl_[0-9a-f]{32}$/);
    const { node } = await ask(`query ($id: ID!) { node(id: $id) { __typename ... on Model { key } } }`, model);
    expect(node).toEqual({ __typename: "Model", key: "home_ranker" });
    expect(await ask(`{ model(key: "other") { id } }`)).toEqual({ model: null });
  });

  it("is registered once, however often the same request is sent", async () => {
    const register = `mutation {
      registerModel(input: { key: "search_ranker", idempotencyKey: "a" }) { model { id } }
    }`;
    expect(await ask(register)).toEqual(await ask(register));
    const { models } = await ask(`{ models(filter: { text: "ranker" }) { totalCount nodes { key } } }`);
    expect(models).toEqual({ totalCount: 2, nodes: [{ key: "home_ranker" }, { key: "search_ranker" }] });
  });
});

describe("a version", () => {
  it("is made from a run, and counts from 1", async () => {
    const first = await ask(createVersion, {
      input: { model: "home_ranker", run: runs[0], description: "Towers." },
    });
    expect(first.createModelVersion).toMatchObject({
      created: true,
      modelVersion: { number: 1, run: { id: runs[0] }, description: "Towers." },
    });
    const second = await ask(createVersion, { input: { model: "home_ranker", run: runs[1] } });
    expect(second.createModelVersion.modelVersion.number).toBe(2);
  });

  it("is the one there is where the run is a version already", async () => {
    const { model } = await ask(`{ model(key: "home_ranker") { id } }`);
    const again = await ask(createVersion, { input: { model: model.id, run: runs[0], description: "Other." } });
    expect(again.createModelVersion).toMatchObject({
      created: false,
      modelVersion: { number: 1, description: "Towers." },
    });
  });

  it("is numbered without a gap, however many are made at a time", async () => {
    const made = await Promise.all(runs.map((run) => ask(createVersion, { input: { model: "search_ranker", run } })));
    const numbers = made.map(({ createModelVersion }) => createModelVersion.modelVersion.number as number);
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("is found from its model, newest first and page by page, and from its run", async () => {
    const page = `query ($after: String) {
      model(key: "search_ranker") {
        latestVersion { number }
        versions(first: 4, after: $after) { totalCount nodes { number model { key } } pageInfo { hasNextPage endCursor } }
      }
    }`;
    const { model } = await ask(page);
    expect(model.latestVersion).toEqual({ number: 6 });
    expect(model.versions).toMatchObject({ totalCount: 6, pageInfo: { hasNextPage: true } });
    expect(model.versions.nodes.map(({ number }: { number: number }) => number)).toEqual([6, 5, 4, 3]);
    const next = (await ask(page, { after: model.versions.pageInfo.endCursor })).model.versions;
    expect(next.nodes.map(({ number }: { number: number }) => number)).toEqual([2, 1]);
    expect(next.pageInfo.hasNextPage).toBe(false);

    const { run } = await ask(`query ($id: ID!) { run(id: $id) { modelVersions { model { key } } } }`, { id: runs[0] });
    expect(run.modelVersions).toEqual([{ model: { key: "home_ranker" } }, { model: { key: "search_ranker" } }]);
  });
});

describe("an alias", () => {
  it("stands for a version, and is moved to another", async () => {
    const first = await ask(setAlias, { input: { model: "home_ranker", alias: "champion", version: 1 } });
    expect(first.setModelAlias).toEqual({
      model: { key: "home_ranker" },
      alias: { name: "champion", version: { number: 1 } },
    });
    await ask(setAlias, { input: { model: "home_ranker", alias: "champion", version: 2, expectedVersion: 1 } });
    await ask(setAlias, { input: { model: "home_ranker", alias: "backup", version: 2, expectedVersion: 0 } });
    const { model } = await ask(`{
      model(key: "home_ranker") { aliases { name version { number } } latestVersion { aliases { name } } }
    }`);
    expect(model).toEqual({
      aliases: [
        { name: "backup", version: { number: 2 } },
        { name: "champion", version: { number: 2 } },
      ],
      latestVersion: { aliases: [{ name: "backup" }, { name: "champion" }] },
    });
  });

  it("stays as it is where it stands for the version already", async () => {
    const read = `{ model(key: "home_ranker") { aliases { name movedAt } } }`;
    const before = await ask(read);
    await ask(setAlias, { input: { model: "home_ranker", alias: "champion", version: 2 } });
    expect(await ask(read)).toEqual(before);
  });

  it("is taken away, and the version stays", async () => {
    const { removeModelAlias } = await ask(`mutation {
      removeModelAlias(input: { model: "home_ranker", alias: "backup", expectedVersion: 2 }) {
        model { aliases { name } versions { totalCount } }
      }
    }`);
    expect(removeModelAlias.model).toEqual({ aliases: [{ name: "champion" }], versions: { totalCount: 2 } });
  });
});

it("Every relation of models takes as many statements for many models as for one", async () => {
  const deep = `query ($first: Int!) {
    models(first: $first) {
      totalCount
      nodes {
        latestVersion { number aliases { name } }
        aliases { name version { number } }
        versions(first: 3) { totalCount nodes { run { id modelVersions { id } } aliases { name } model { key } } }
      }
    }
  }`;
  const counted = async (first: number): Promise<number> => {
    let statements = 0;
    const stop = hearStatements(() => statements++);
    await ask(deep, { first }).finally(stop);
    return statements;
  };
  expect(await counted(2)).toBe(await counted(1));
});
