/** What a request may ask for at most, and what it has cost. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "./testServer.ts";
import { startTestServer } from "./testServer.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { AUTOIFS_COST_LIMIT: "1000" } });
});

afterAll(() => server.close());

const post = (body: unknown) =>
  fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const costOf = async (query: string, variables = {}) =>
  ((await (await post({ query, variables })).json()) as { extensions: { cost: { requested: number } } }).extensions.cost
    .requested;

describe("the cost of an operation", () => {
  it("counts objects: a page as many as its `first`, a list without one 10, leaves nothing", async () => {
    expect(await costOf("{ __typename }")).toBe(0);
    expect(await costOf("{ plugins { name } }")).toBe(10);
    expect(await costOf("{ scenarios(first: 5) { nodes { key name } } }")).toBe(6);
    expect(await costOf("{ runs(first: 5) { nodes { id dataset { name } } } }")).toBe(11);
    expect(await costOf("query ($n: Int!) { runs(first: $n) { nodes { id } } }", { n: 7 })).toBe(8);
    expect(await costOf("query ($n: Int! = 3) { runs(first: $n) { nodes { id } } }")).toBe(4);
    expect(await costOf("{ runs { nodes { id } } }")).toBe(21);
  });

  it("is the same through fragments", async () => {
    const query = `{ runs(first: 5) { ...Page } } fragment Page on RunConnection { nodes { ...R } } fragment R on Run { dataset { name } }`;
    expect(await costOf(query)).toBe(11);
  });

  it("above the limit is refused before anything is read, with both numbers", async () => {
    const response = await post({
      query: "{ runs(first: 100) { nodes { dataset { runs(first: 100) { nodes { id } } } } } }",
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { errors: unknown[] }).errors).toMatchObject([
      {
        message: "cost: expected at most 1000 objects, but the operation asks for 10301",
        extensions: { code: "TOO_COMPLEX", limit: "cost", expected: 1000, received: 10301 },
      },
    ]);
  });
});

describe("an operation is refused", () => {
  it("with more than 20 fields inside each other", async () => {
    const deep = (parents: number) =>
      `{ runs(first: 1) { nodes { ${"parent { ".repeat(parents)} id ${"} ".repeat(parents)} } } }`;
    expect(await server.refused(deep(20))).toMatchObject({ code: "TOO_COMPLEX", limit: "depth", received: 23 });
    expect(await server.refused(deep(1600))).toMatchObject({ code: "TOO_COMPLEX", limit: "depth" });
  });

  it("with more than 100 aliases", async () => {
    const aliases = `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: __typename`).join(" ")} }`;
    expect(await server.refused(aliases)).toMatchObject({ code: "TOO_COMPLEX", limit: "aliases", received: 101 });
  });

  describe("with values too deep", () => {
    const lists = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    const json = (depth: number): unknown => JSON.parse(lists(depth));
    const values = `query ($v: JSON!) { predict(run: "run_0", rows: [{ scenario: "a", values: $v }]) { rows { scenario { key } } } }`;
    const tooDeep = "JSON: expected at most 100 objects and lists inside each other, got more";

    it.each([101, 190])("of JSON in a variable, %d", async (depth) => {
      const { message, code } = await server.refused(values, { v: json(depth) });
      expect({ message, code }).toEqual({
        message: expect.stringContaining(tooDeep) as string,
        code: "BAD_USER_INPUT",
      });
    });

    it("of JSON in the text", async () => {
      const withText = (depth: number) =>
        server.refused(values.replace("$v }", `${lists(depth)} }`).replace("($v: JSON!)", ""));
      expect(await withText(100)).toMatchObject({ code: "NOT_FOUND" });
      expect(await withText(101)).toMatchObject({
        message: expect.stringContaining(tooDeep) as string,
        code: "GRAPHQL_VALIDATION_FAILED",
      });
      expect(await withText(1000)).toMatchObject({ code: "GRAPHQL_VALIDATION_FAILED" });
    });

    it("but not with 100", async () => {
      expect(await server.refused(values, { v: json(100) })).toMatchObject({ code: "NOT_FOUND" });
    });

    const refusal = {
      message: "variables: expected at most 200 objects and lists inside each other, got more",
      extensions: { code: "TOO_COMPLEX", limit: "variables", expected: 200 },
    };
    const filters = `query ($v: RunFilter) { runs(filter: $v) { nodes { id } } }`;
    // As text: JSON.stringify runs out of stack as well.
    const deep = (query: string, v: string) => `{ "query": ${JSON.stringify(query)}, "variables": { "v": ${v} } }`;
    const bodies = [deep(values, lists(9000)), deep(filters, `${'{"not":'.repeat(9000)}{}${"}".repeat(9000)}`)];

    it.each(bodies)("of any kind in the variables, however deep", async (body) => {
      const headers = { "content-type": "application/json" };
      // The second time the text is known.
      for (const _ of [1, 2]) {
        const response = await fetch(`${server.url}/graphql`, { method: "POST", headers, body });
        expect(((await response.json()) as { errors: unknown }).errors).toMatchObject([refusal]);
      }
      const accept = "text/event-stream";
      const stream = await fetch(`${server.url}/graphql/stream`, {
        method: "POST",
        headers: { ...headers, accept },
        body,
      });
      expect(await stream.text()).toContain(refusal.message);
    });
  });

  it("with more than 5000 words and signs, before it is read to its end", async () => {
    const { message, code } = await server.refused(`{ ${"__typename ".repeat(5000)} }`);
    expect({ message, code }).toEqual({
      message: "Syntax Error: Document contains more that 5000 tokens. Parsing aborted.",
      code: "GRAPHQL_PARSE_FAILED",
    });
  });

  /** Each of 60 fragments spreads the next one twice: 2^60 places. */
  const doubling = (on: string, end: string, between = ""): string =>
    Array.from({ length: 60 }, (_, i) => `fragment F${i} on ${on} { ...F${i + 1} ${between} ...F${i + 1} }`).join(" ") +
    ` fragment F60 on ${on} { ${end} }`;

  it("or answered, whose fragments grow by doubling, as fast as any other", async () => {
    const queries = [
      `{ runs { nodes { ...F0 } } } ${doubling("Run", "id", "dataset { runs { nodes { ...F60 } } }")}`,
      `{ runs(first: 1) { ...F0 } } ${doubling("RunConnection", "nodes { id }")}`,
      `query ($f: Int = 1) { models { nodes { ...F0 } } } ${doubling("Model", "versions(first: $f) { nodes { id } }")}`,
      `mutation { deleteNode(input: { id: "x" }) { ...F0 } } ${doubling("DeleteNodePayload", "__typename")}`,
      `{ runs { nodes { matrix { ...F0 } } } } ${doubling("Matrix", "meanAuc")}`,
    ];
    const begun = performance.now();
    for (const query of queries) await server.query(query);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it("for what is known of the schema, as for anything else", async () => {
    const fields = "fields { type { fields { name } } }";
    const aliases = Array.from({ length: 90 }, (_, i) => `a${i}: ${fields}`).join(" ");
    expect(await server.refused(`{ __schema { types { ${aliases} } } }`)).toMatchObject({ limit: "cost" });
  });
});
