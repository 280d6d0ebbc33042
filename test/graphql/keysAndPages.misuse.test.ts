import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.query(`mutation {
    registerScenario(input: { key: "home" }) { scenario { id } }
    registerTask(input: { key: "click" }) { task { id } }
  }`);
});
afterAll(() => server.close());

const allKeys = `{ scenarios { nodes { key } } tasks { nodes { key } } }`;
const unchanged = { data: { scenarios: { nodes: [{ key: "home" }] }, tasks: { nodes: [{ key: "click" }] } } };

describe("a registration is refused, and nothing is registered, where", () => {
  it("the key is taken", async () => {
    const scenario = await server.refused(`mutation { registerScenario(input: { key: "home" }) { scenario { id } } }`);
    expect(scenario).toEqual({
      message: "scenario home: expected a new key, but a scenario with this key is registered",
      code: "CONFLICT",
      field: "input.key",
      expected: "a key no scenario has",
      hint: "one that is deleted keeps its key: restore it with `restoreNode`",
      received: "home",
    });
    const task = await server.refused(`mutation { registerTask(input: { key: "click" }) { task { id } } }`);
    expect(task).toMatchObject({ code: "CONFLICT", field: "input.key", received: "click" });
    expect(await server.query(allKeys)).toEqual(unchanged);
  });

  it.each(["Home", "", "ho me", "_home", "é", "x".repeat(64)])("the key is %j", async (key) => {
    const refusal = await server.refused(
      `mutation ($key: String!) { registerTask(input: { key: $key }) { task { id } } }`,
      { key },
    );
    const expected = "1 to 63 lower-case letters, digits, `-` and `_`, a letter or digit first";
    expect(refusal).toEqual({
      message: `input.key: expected ${expected}, got ${JSON.stringify(key)}`,
      code: "INVALID_INPUT",
      field: "input.key",
      expected,
      received: JSON.stringify(key),
    });
    expect(await server.query(allKeys)).toEqual(unchanged);
  });

  it("the name is blank or too long", async () => {
    const register = `mutation ($name: String) { registerTask(input: { key: "a", name: $name }) { task { id } } }`;
    expect(await server.refused(register, { name: "  " })).toMatchObject({
      message: 'input.name: expected a number of characters at least 1, got "  "',
      field: "input.name",
    });
    expect(await server.refused(register, { name: "x".repeat(201) })).toMatchObject({
      code: "INVALID_INPUT",
      expected: "a number of characters at most 200",
    });
    expect(await server.query(allKeys)).toEqual(unchanged);
  });
});

describe("a page is refused where", () => {
  it.each([0, -1, 101])("its size is %i", async (first) => {
    expect(await server.refused(`query ($first: Int!) { tasks(first: $first) { nodes { id } } }`, { first })).toEqual({
      message: `first: expected 1 to 100, got ${first}`,
      code: "INVALID_INPUT",
      field: "first",
      expected: "1 to 100",
      received: String(first),
      path: ["tasks"],
    });
  });

  it.each([
    [`{ tasks(first: 0) { nodes { id } } }`, "first: expected 1 to 100, got 0"],
    [`{ all: datasets { nodes { runs(first: 101) { nodes { id } } } } }`, "first: expected 1 to 100, got 101"],
    [`query ($n: Int! = 1000) { ...Runs } fragment Runs on Query { runs(first: $n) { nodes { id } } }`, "got 1000"],
    [
      `{ runs { nodes { ... on Run { events(first: 1001) { lastSequence } } } } }`,
      "first: expected 1 to 1000, got 1001",
    ],
    [`{ nodes(ids: []) { id } }`, "ids: expected 1 to 100, got 0"],
  ])("it is out of bounds wherever it stands, before anything is read: %s", async (document, message) => {
    expect(await server.refused(document)).toMatchObject({
      message: expect.stringContaining(message),
      code: "INVALID_INPUT",
    });
  });

  it.each(["yesterday", "", "W10", "WyJydW5zIl0", Buffer.from('["runs CREATED_AT DESC",1,2]').toString("base64url")])(
    "its cursor is none: %j",
    async (after) => {
      expect(
        await server.refused(`query ($after: String) { runs(after: $after) { nodes { id } } }`, { after }),
      ).toEqual({
        message: `after: expected a cursor of this list, got "${after}"`,
        code: "INVALID_INPUT",
        field: "after",
        expected: "a cursor of this list",
        received: `"${after}"`,
      });
    },
  );

  it("its cursor is of another list, or of another order of it", async () => {
    const { data } = await server.query(`{ scenarios { pageInfo { endCursor } } }`);
    const after = data.scenarios.pageInfo.endCursor;
    const query = (list: string) => `query ($after: String) { ${list} { nodes { id } } }`;
    for (const list of ["tasks(after: $after)", "scenarios(after: $after, orderBy: { field: KEY })"]) {
      expect(await server.refused(query(list), { after })).toMatchObject({
        message: `after: expected a cursor of this list in this order, got one of "scenarios CREATED_AT ASC"`,
        code: "INVALID_INPUT",
        field: "after",
      });
    }
    expect(await server.query(query("scenarios(after: $after)"), { after })).toEqual({
      data: { scenarios: { nodes: [] } },
    });
  });

  it.each([
    ["runs FINISHED_AT DESC", "{ field: FINISHED_AT }", "yesterday"],
    ["runs FINISHED_AT DESC", "{ field: FINISHED_AT }", null],
    ["runs METRIC DESC auc test", "{ field: METRIC, metric: { name: AUC } }", "0.5"],
  ])("its cursor holds what no run is ordered by: %s, %s, %j", async (order, orderBy, value) => {
    const after = Buffer.from(JSON.stringify([order, "run_1", value])).toString("base64url");
    const query = `query ($after: String) { runs(after: $after, orderBy: ${orderBy}) { nodes { id } } }`;
    expect(await server.refused(query, { after })).toMatchObject({
      message: `after: expected a place in this list, got ${value === null ? "nothing" : JSON.stringify(value)}`,
      code: "INVALID_INPUT",
    });
  });
});

describe("a list is refused where", () => {
  const nested = (depth: number): object => (depth === 0 ? { seed: 1 } : { not: nested(depth - 1) });
  const deepList = (depth: number): unknown => (depth === 0 ? 1 : [deepList(depth - 1)]);

  it.each<[string, object, string]>([
    [
      "its filter is too deep",
      nested(6),
      "filter.not.not.not.not.not.not: expected filters at most 5 deep, got one below that",
    ],
    [
      "its filter has too many conditions",
      { or: Array.from({ length: 101 }, (_, seed) => ({ seed })) },
      "filter: expected at most 100 conditions, got more",
    ],
    [
      "its filter has too many that say nothing",
      { or: Array.from({ length: 40_000 }, () => ({ or: [] })) },
      "filter: expected at most 100 conditions, got more",
    ],
    [
      "its filter has too many that are empty",
      { or: Array.from({ length: 101 }, () => ({})) },
      "filter: expected at most 100 conditions, got more",
    ],
    [
      "a list in its filter is too long",
      { states: Array.from({ length: 101 }, () => "FAILED") },
      "filter: expected at most 100 conditions, got more",
    ],
    [
      "deleted things are asked for below the top",
      { and: [{ or: [{ deleted: "ONLY" }] }] },
      'filter.and[0].or[0].deleted: expected it at the top of the filter, for it is about the whole list, got "ONLY"',
    ],
    [
      "a parameter is to be an object",
      { not: { parameter: { path: "head", equals: { kind: "TOWERS" } } } },
      "filter.not.parameter.equals: expected a number, a text, a boolean, or a list at most 5 deep, got a value of type object",
    ],
    [
      "a parameter is to be null",
      { parameter: { path: "head", equals: null } },
      "filter.parameter.equals: expected a number, a text, a boolean, or a list at most 5 deep, got null",
    ],
    [
      "a parameter is to be a list of lists of lists",
      { parameter: { path: "head", equals: deepList(90) } },
      "filter.parameter.equals: expected a number, a text, a boolean, or a list at most 5 deep, got a list nested deeper",
    ],
    ["a text is empty", { text: "" }, "filter.text: expected 1 to 200 characters, got 0"],
    ["a text is too long", { text: "x".repeat(201) }, "filter.text: expected 1 to 200 characters, got 201"],
  ])("%s", async (_, filter, message) => {
    const refusal = await server.refused(`query ($filter: RunFilter) { runs(filter: $filter) { nodes { id } } }`, {
      filter,
    });
    expect(refusal).toMatchObject({ message, code: "INVALID_INPUT", field: message.split(":")[0] });
  });

  it.each([
    ["{ field: METRIC }", "orderBy.metric: expected the metric to order by, got nothing"],
    [
      "{ field: CREATED_AT, metric: { name: AUC } }",
      "orderBy.metric: expected nothing, for the order is by CREATED_AT, got auc",
    ],
  ])("its order is %s", async (orderBy, message) => {
    expect(await server.refused(`{ runs(orderBy: ${orderBy}) { nodes { id } } }`)).toMatchObject({
      message,
      code: "INVALID_INPUT",
      field: "orderBy.metric",
    });
  });

  it.each(["yesterday", "2026-01-01", "2026-13-01T00:00:00Z", 5])("a time is %j", async (createdAfter) => {
    const { errors } = await server.query(`query ($filter: RunFilter) { runs(filter: $filter) { nodes { id } } }`, {
      filter: { createdAfter },
    });
    expect(errors?.[0]?.message).toContain("DateTime: expected an instant such as");
    expect(errors?.[0]?.extensions["code"]).toBe("BAD_USER_INPUT");
  });
});

describe("GraphQL itself refuses", () => {
  it("what is not in the schema, with its own error", async () => {
    const { errors } = await server.query(`{ scenarios { nodes { colour } } }`);
    expect(errors).toMatchObject([
      {
        message: 'Cannot query field "colour" on type "Scenario".',
        extensions: { code: "GRAPHQL_VALIDATION_FAILED" },
      },
    ]);
  });

  it("a variable of the wrong type, with its own error", async () => {
    const { errors } = await server.query(`query ($first: Int!) { tasks(first: $first) { nodes { id } } }`, {
      first: "x",
    });
    expect(errors?.[0]?.message).toBe(
      'Variable "$first" got invalid value "x"; Int cannot represent non-integer value: "x"',
    );
    expect(errors?.[0]?.extensions["code"]).toBe("BAD_USER_INPUT");
  });
});
