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
    const deep = `{ runs(first: 1) { nodes { ${"parent { ".repeat(20)} id ${"} ".repeat(20)} } } }`;
    expect(await server.refused(deep)).toMatchObject({ code: "TOO_COMPLEX", limit: "depth", received: 23 });
  });

  it("with more than 100 aliases", async () => {
    const aliases = `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: __typename`).join(" ")} }`;
    expect(await server.refused(aliases)).toMatchObject({ code: "TOO_COMPLEX", limit: "aliases", received: 101 });
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
