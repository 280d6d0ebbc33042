/** A document that was answered before goes a shorter way; nobody can tell from the answer. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "./testServer.ts";
import { startTestServer } from "./testServer.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.query(`mutation { registerScenario(input: { key: "home" }) { scenario { id } } }`);
});

afterAll(() => server.close());

/** Status, headers and bytes, but for what is new every time. */
async function answer(body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": "same", ...headers },
    body: JSON.stringify(body),
  });
  const { date: _, ...rest } = Object.fromEntries(response.headers);
  return { status: response.status, headers: rest, text: await response.text() };
}

const requests: Record<string, { body: object; headers?: Record<string, string> }> = {
  "a query": { body: { query: "{ scenarios { nodes { key } } }" } },
  "with variables": {
    body: { query: "query ($key: String!) { scenario(key: $key) { key } }", variables: { key: "home" } },
  },
  "with null for what is absent": { body: { query: "{ a: __typename }", variables: null, operationName: null } },
  "one of several operations": {
    body: { query: "query A { a: __typename } query B { b: __typename }", operationName: "B" },
  },
  "an operation that is not there": { body: { query: "query A { c: __typename }", operationName: "C" } },
  "none of several operations": { body: { query: "query A { d: __typename } query B { e: __typename }" } },
  "variables of a wrong type": {
    body: { query: "query ($key: String!) { scenario(key: $key) { id } }", variables: { key: 1 } },
  },
  "variables that are missing": { body: { query: "query ($key: String!) { scenario(key: $key) { name } }" } },
  "variables that are no object": { body: { query: "{ f: __typename }", variables: [1] } },
  "an error beside data": {
    body: { query: '{ g: __typename compareRuns(baseline: ["x"], candidate: ["y"]) { split } }' },
  },
  "an error in a field that may be null": { body: { query: '{ h: node(id: "") { id } i: __typename }' } },
  "a refused mutation": {
    body: { query: 'mutation { registerScenario(input: { key: "home" }) { scenario { id } } }' },
  },
  "a refused mutation with user errors": {
    body: { query: 'mutation { registerScenario(input: { key: "home" }) { userErrors { code field message } } }' },
  },
  "too costly": {
    body: {
      query: "{ runs(first: 100) { nodes { dataset { runs(first: 100) { nodes { matrix { cells { auc } } } } } } } }",
    },
  },
  "a page that is too large": {
    body: { query: "query ($n: Int!) { runs(first: $n) { nodes { id } } }", variables: { n: 1000 } },
  },
  "a subscription": { body: { query: 'subscription { runProgress(id: "run_1") { sequence } }' } },
  "asking for JSON": { body: { query: "{ j: __typename }" }, headers: { accept: "application/json" } },
  "asking for GraphQL's own type": {
    body: { query: "{ k: __typename }" },
    headers: { accept: "application/graphql-response+json" },
  },
  "asking for something else": { body: { query: "{ l: __typename }" }, headers: { accept: "image/png" } },
  "a text that is no GraphQL": { body: { query: "{" } },
  introspection: { body: { query: "{ __schema { queryType { name } } }" } },
};

describe("the second answer is the first", () => {
  for (const [name, { body, headers }] of Object.entries(requests)) {
    it(name, async () => {
      const first = await answer(body, headers);
      expect(await answer(body, headers)).toEqual(first);
      expect(await answer(body, headers)).toEqual(first);
    });
  }
});
