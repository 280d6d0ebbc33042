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
    });
  });

  it("its cursor is none", async () => {
    expect(await server.refused(`{ runs(after: "yesterday") { nodes { id } } }`)).toMatchObject({
      message: 'after: expected a cursor of this list, got "yesterday"',
      code: "INVALID_INPUT",
      field: "after",
    });
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
