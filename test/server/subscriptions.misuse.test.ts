import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { followOverEventStream, followOverWebSocket, runProgress } from "./following.ts";
import type { Follow } from "./following.ts";
import { startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  // After everything that was sent here it is still well, and has nothing to complain of.
  expect(await server.query("{ __typename }")).toEqual({ data: { __typename: "Query" } });
  expect(server.log).toEqual([]);
  await server.close();
});

const socketUrl = (path = "/graphql"): string => server.url.replace("http", "ws") + path;
const protocol = "graphql-transport-ws";

const stream = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/graphql/stream`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", ...headers },
    body: JSON.stringify(body),
  });

/** The status with which a WebSocket is refused. */
async function refusedSocket(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, protocol, { headers });
  const [request, response] = await once(socket, "unexpected-response");
  request.destroy();
  return response.statusCode;
}

/** The code with which an open WebSocket is closed after these messages. */
async function closeCode(...messages: string[]): Promise<number> {
  const socket = new WebSocket(socketUrl(), protocol);
  await once(socket, "open");
  for (const message of messages) socket.send(message);
  const [code] = await once(socket, "close");
  return code;
}

/** The first error, by an answer over SSE or over WebSocket, where it may come as a message of its own. */
async function refusal(follow: Follow, query: string, variables: object): Promise<unknown> {
  const answers = [];
  try {
    for await (const { errors } of follow(server.url, { ...variables }, query).answers) answers.push(errors?.[0]);
  } catch (errors) {
    answers.push((errors as unknown[])[0]);
  }
  expect(answers).toHaveLength(1);
  return answers[0];
}

describe.each([
  ["a WebSocket", followOverWebSocket],
  ["server-sent events", followOverEventStream],
] as const)("over %s is refused", (_, follow) => {
  it("a run that is none", async () => {
    expect(await refusal(follow, runProgress, { id: "run_1" })).toEqual({
      message: "run run_1: expected the id of a run, but there is none with this id",
      path: ["runProgress"],
      locations: [{ line: 2, column: 3 }],
      extensions: { code: "NOT_FOUND", field: "id", received: "run_1" },
    });
  });

  it.each([
    ["a query that cannot be read", "subscription {", {}, "GRAPHQL_PARSE_FAILED"],
    ["a query that is not of this schema", "subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["a variable of another type", runProgress, { id: "run_1", after: "x" }, "BAD_USER_INPUT"],
    [
      "a query of two operations without the name of one",
      "query A { __typename } query B { __typename }",
      {},
      "OPERATION_RESOLUTION_FAILURE",
    ],
  ])("%s", async (_, query, variables, code) => {
    expect(await refusal(follow, query, variables)).toMatchObject({ extensions: { code } });
  });
});

describe("a WebSocket is refused", () => {
  it("to a page of another host, or of one that hides where it is from", async () => {
    expect(await refusedSocket(socketUrl(), { origin: "https://elsewhere.example" })).toBe(403);
    expect(await refusedSocket(socketUrl(), { origin: "null" })).toBe(403);
  });

  it("at another path", async () => {
    expect(await refusedSocket(socketUrl("/secret"))).toBe(404);
  });
});

describe("a WebSocket is closed after", () => {
  const begin = JSON.stringify({ type: "connection_init" });

  it("something that is not of the protocol", async () => {
    expect(await closeCode("hello")).toBe(4400);
    expect(await closeCode(begin, '{"type":"subscribe"}')).toBe(4400);
  });

  it("an operation before the greeting", async () => {
    const operation = { id: "1", type: "subscribe", payload: { query: "{ __typename }" } };
    expect(await closeCode(JSON.stringify(operation))).toBe(4401);
  });

  it("a message of more than a mebibyte", async () => {
    expect(await closeCode("x".repeat(1024 * 1024 + 1))).toBe(1009);
  });
});

it("Of wrong values no more than 50 are told, by HTTP as by server-sent events", async () => {
  const query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
  const variables = { ids: Array(60).fill(null) };
  const { errors } = await server.query(query, variables);
  expect(errors!.map(({ extensions }) => extensions["code"])).toEqual(Array(51).fill("BAD_USER_INPUT"));
  const answer = /^event: next\ndata: (.*)$/m.exec(await (await stream({ query, variables })).text())![1]!;
  expect(JSON.parse(answer).errors).toHaveLength(51);
});

it("A page of this host may open a WebSocket", async () => {
  const socket = new WebSocket(socketUrl(), protocol, { headers: { origin: server.url } });
  await once(socket, "open");
  socket.close();
});

describe("a stream of events is refused", () => {
  it("to a page of another host", async () => {
    const response = await stream({ query: runProgress }, { origin: "https://elsewhere.example" });
    expect([response.status, await response.json()]).toEqual([
      403,
      { errors: [{ message: "expected a request from a page of this host", extensions: { code: "BAD_REQUEST" } }] },
    ]);
  });

  it("to whoever does not ask for one", async () => {
    expect((await stream({ query: runProgress }, { accept: "application/json" })).status).toBe(406);
  });

  it("without a body of JSON", async () => {
    expect((await stream("text")).status).toBe(400);
    expect((await stream({}, { "content-type": "text/plain" })).status).toBe(400);
  });

  it("for a mutation in a GET", async () => {
    const query = `mutation { registerTask(input: { key: "click" }) { task { key } } }`;
    const url = `${server.url}/graphql/stream?query=${encodeURIComponent(query)}`;
    const response = await fetch(url, { headers: { accept: "text/event-stream" } });
    expect(await response.text()).toContain("mutation: expected a POST, got a GET");
    expect((await server.query(`{ task(key: "click") { key } }`)).data.task).toBeNull();
  });
});

it("A subscription cannot be asked for like a query", async () => {
  const { errors } = await server.query(runProgress, { id: "run_1" });
  const message = "a subscription: expected it over WebSocket, or as a stream of events from /graphql/stream";
  expect(errors).toMatchObject([{ message, extensions: { code: "BAD_REQUEST" } }]);
});
