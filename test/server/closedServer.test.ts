/** A server that takes trusted documents only, tells nobody its schema, and has no page: on every way to ask it. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient as createWebSocketClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const documents = {
  scenarios: "query ($first: Int! = 1) { scenarios(first: $first) { nodes { key } } }",
  schema: "{ __schema { queryType { name } } }",
  follow: "subscription ($id: ID!) { runProgress(id: $id) { sequence } }",
};
const noScenarios = { data: { scenarios: { nodes: [] } } };

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-closed-"));
  const file = join(folder, "documents.json");
  await writeFile(file, JSON.stringify(documents));
  const settings = {
    AUTOIFS_DOCUMENTS: file,
    AUTOIFS_DOCUMENTS_ONLY: "1",
    AUTOIFS_INTROSPECTION: "0",
    AUTOIFS_GRAPHIQL: "0",
  };
  server = await startTestServer({ settings });
});
afterAll(async () => {
  expect(server.log).toEqual([]);
  await server.close();
  await rm(folder, { recursive: true });
});

/** The first answer to a request. */
type Ask = (request: Readonly<Record<string, unknown>>) => Promise<unknown>;

const json = { "content-type": "application/json", "apollo-require-preflight": "true" };
const post = (path: string, accept: string, request: object): Promise<Response> =>
  fetch(server.url + path, { method: "POST", headers: { ...json, accept }, body: JSON.stringify(request) });
const get = (path: string, accept: string, request: object): Promise<Response> => {
  const parameters = Object.entries(request).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return fetch(`${server.url}${path}?${new URLSearchParams(parameters)}`, { headers: { ...json, accept } });
};
const firstEvent = async (response: Response): Promise<unknown> =>
  JSON.parse(/^event: next\ndata: (.*)$/m.exec(await response.text())![1]!);
const overWebSocket: Ask = async (request) => {
  const url = `${server.url.replace("http", "ws")}/graphql`;
  const client = createWebSocketClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  try {
    // The protocol wants a query, be it an empty one.
    for await (const answer of client.iterate({ query: "", ...request })) return answer;
  } catch (errors) {
    return { errors };
  } finally {
    await client.dispose();
  }
  return undefined;
};

const ways: readonly (readonly [string, Ask])[] = [
  ["HTTP POST", async (request) => (await post("/graphql", "application/json", request)).json()],
  ["HTTP GET", async (request) => (await get("/graphql", "application/json", request)).json()],
  ["WebSocket", overWebSocket],
  ["SSE POST", async (request) => firstEvent(await post("/graphql/stream", "text/event-stream", request))],
  ["SSE GET", async (request) => firstEvent(await get("/graphql/stream", "text/event-stream", request))],
];

describe.each(ways)("over %s", (_, ask) => {
  it("a trusted document is answered, by its id, its hash and its text", async () => {
    const sha256Hash = createHash("sha256").update(documents.scenarios).digest("hex");
    expect(await ask({ documentId: "scenarios", variables: { first: 2 } })).toMatchObject(noScenarios);
    expect(await ask({ extensions: { persistedQuery: { version: 1, sha256Hash } } })).toMatchObject(noScenarios);
    expect(await ask({ query: documents.scenarios })).toMatchObject(noScenarios);
  });

  it("any other document is refused", async () => {
    const message = "query: expected one of the trusted documents of this server, by its id, its hash or its text";
    expect(await ask({ query: "{ __typename }" })).toEqual({
      errors: [{ message, extensions: { code: "DOCUMENT_NOT_TRUSTED" } }],
    });
  });

  it("an id that is none is refused", async () => {
    const message = 'documentId: expected the id of a trusted document, got "other"';
    expect(await ask({ documentId: "other" })).toEqual({
      errors: [{ message, extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } }],
    });
  });

  it("nobody is told the schema, even by a trusted document", async () => {
    const { errors } = (await ask({ documentId: "schema" })) as { readonly errors: readonly unknown[] };
    expect(errors[0]).toMatchObject({
      message: expect.stringMatching(/introspection/),
      extensions: { code: "GRAPHQL_VALIDATION_FAILED" },
    });
  });
});

describe("a closed server", () => {
  it("follows a run by a trusted document", async () => {
    for (const [, ask] of ways.slice(2)) {
      expect(await ask({ documentId: "follow", variables: { id: "run_none" } })).toMatchObject({
        errors: [{ extensions: { code: "NOT_FOUND" } }],
      });
    }
  });

  it("says by its status what was refused; to Apollo's clients it says 200, upon which they send the text", async () => {
    const status = async (request: object): Promise<number> =>
      (await post("/graphql", "application/graphql-response+json", request)).status;
    expect(await status({ query: "{ __typename }" })).toBe(400);
    expect(await status({ documentId: "other" })).toBe(400);
    expect(await status({ extensions: { persistedQuery: { version: 1, sha256Hash: "00" } } })).toBe(200);
  });

  it("has no page for browsers", async () => {
    const response = await get("/graphql", "text/html,*/*", {});
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).not.toMatch(/html/);
  });
});

describe("a server", () => {
  it("does not start with a document that the schema does not allow, and says which", async () => {
    const file = join(folder, "broken.json");
    await writeFile(file, JSON.stringify({ ...documents, broken: "{ scenarios { names } }" }));
    await expect(startTestServer({ settings: { AUTOIFS_DOCUMENTS: file } })).rejects.toThrow(
      `AUTOIFS_DOCUMENTS: ${file}: document "broken": Cannot query field "names" on type "ScenarioConnection"`,
    );
  });
});
