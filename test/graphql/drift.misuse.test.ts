import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/runCli.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";

let made: MadeServer;
let version: string;

beforeAll(async () => {
  made = await startMadeServer();
  const run = await madeRun(made.store, { dataset: await made.imported(), seed: 1, skill: 1 });
  const model = await made.store.models.create({ key: "ranker", name: "ranker", description: "" });
  version = (await made.store.models.createVersion({ model: model.id, runId: run, description: "" })).version.id;
  const day = new Date().toISOString().slice(0, 10);
  const row = { rowId: "a", scenarioKey: "home", day, probabilities: { click: 0.5, like: 0.5 } };
  await made.store.served.keepRows([{ modelId: model.id, versionId: version, ...row }]);
});
afterAll(() => made.close());

const labelled = () => made.store.served.labelledRows(version, { from: "2000-01-01", to: "2999-12-31" }, { first: 10 });

const recordOutcomes = `mutation ($input: RecordOutcomesInput!) { recordOutcomes(input: $input) { recorded } }`;
const good = { id: "a", task: "click", label: 1 };

describe("outcomes are refused, and none is recorded, where", () => {
  it.each([
    ["there are none", [], "outcomes", "a number of items at least 1"],
    ["there are too many", Array.from({ length: 10_001 }, () => good), "outcomes", "a number of items at most 10000"],
    ["a label is neither 0 nor 1", [good, { ...good, task: "like", label: 2 }], "outcomes[1].label", "0 or 1"],
    ["an id is empty", [good, { ...good, id: "" }], "outcomes[1].id", "a number of characters at least 1"],
    ["an id is too long", [{ ...good, id: "a".repeat(256) }], "outcomes[0].id", "a number of characters at most 255"],
  ])("%s", async (_, outcomes, field, expected) => {
    expect(await made.server.refused(recordOutcomes, { input: { model: "ranker", outcomes } })).toMatchObject({
      code: "INVALID_INPUT",
      field: `input.${field}`,
      expected,
    });
    expect(await labelled()).toEqual([]);
  });

  it("there is no such model", async () => {
    expect(await made.server.refused(recordOutcomes, { input: { model: "other", outcomes: [good] } })).toEqual({
      message: "input.model: expected the id or key of a model, but there is none with other",
      code: "NOT_FOUND",
      field: "input.model",
      expected: "the id or key of a model",
      received: "other",
    });
  });

  it("the model is deleted", async () => {
    const { data } = await made.server.query(`{ model(key: "ranker") { id } }`);
    const move = (mutation: string) =>
      made.server.query(`mutation ($id: ID!) { ${mutation}(input: { id: $id }) { __typename } }`, data.model);
    await move("deleteNode");
    expect(await made.server.refused(recordOutcomes, { input: { model: "ranker", outcomes: [good] } })).toMatchObject({
      code: "CONFLICT",
      field: "input.model",
      expected: "a model that is not deleted",
    });
    await move("restoreNode");
    expect(await labelled()).toEqual([]);
  });
});

describe("days are refused where", () => {
  it.each([
    [
      "the last is before the first",
      "2026-01-02T00:00:00.000Z",
      "2026-01-01T00:00:00.000Z",
      "to",
      "an instant not before 2026-01-02T00:00:00.000Z",
    ],
    [
      "there are too many",
      "2025-01-01T00:00:00.000Z",
      "2026-01-02T00:00:00.000Z",
      "from",
      "at most 366 days up to that of `to`",
    ],
  ])("%s", async (_, from, to, field, expected) => {
    for (const question of ["drift", "calibration"]) {
      const document = `query ($version: ID!, $from: DateTime!, $to: DateTime!) {
        node(id: $version) { ... on ModelVersion { ${question}(from: $from, to: $to) { rows: __typename } } }
      }`;
      expect(await made.server.refused(document, { version, from, to })).toMatchObject({
        code: "INVALID_INPUT",
        field,
        expected,
      });
    }
  });
});

describe("autoifs drift is refused where", () => {
  it.each([
    ["there is no such model", ["drift", "other"], 'drift: expected the key of a model, got "other"'],
    ["there is no such version", ["drift", "ranker@9"], 'drift: expected a version of ranker, got "ranker@9"'],
    ["there are no days", ["drift", "ranker", "--days", "0"], "--days: expected 1 to 366, got 0"],
  ])("%s", async (_, line, message) => {
    let err = "";
    const stderr = { write: (text: string) => (err += text) };
    const code = await runCli(line, { stdout: { write: () => 0 }, stderr, env: { AUTOIFS_URL: made.server.url } });
    expect(code).not.toBe(0);
    expect(err).toContain(message);
  });
});
