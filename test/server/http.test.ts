import { request } from "node:http";
import { buildClientSchema, buildSchema, getIntrospectionQuery, printSchema } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typeDefs } from "../../src/graphql/schema.ts";
import { startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, { headers, redirect: "manual" });

describe("the server", () => {
  it("says that it lives and that it is ready", async () => {
    expect(await (await get("/live")).json()).toEqual({ live: true });
    expect(await (await get("/ready")).json()).toEqual({ ready: true });
  });

  it("answers a GraphQL query in a POST", async () => {
    expect(await server.query("{ __typename }")).toEqual({ data: { __typename: "Query" } });
  });

  it("answers a GraphQL query in a GET", async () => {
    const response = await get("/graphql?query=%7B__typename%7D", { "apollo-require-preflight": "true" });
    expect(await response.json()).toEqual({
      data: { __typename: "Query" },
      extensions: { cost: { requested: 0, limit: 50_000 } },
    });
  });

  it("answers the questions of tools about its schema", async () => {
    const { data, errors } = await server.query(getIntrospectionQuery({ inputValueDeprecation: true }));
    expect(errors).toBeUndefined();
    expect(printSchema(buildClientSchema(data))).toBe(printSchema(buildSchema(typeDefs())));
  });

  it("gives a browser at /graphql a page that needs no other machine", async () => {
    const response = await get("/graphql", { accept: "text/html,*/*", "accept-encoding": "identity" });
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const page = await response.text();
    expect(page).toContain("<title>AutoIFS</title>");
    expect(page).toContain("The newest runs");
    expect(page).toContain('"subscriptionsProtocol":"GRAPHQL_SSE","subscriptionsEndpoint":"/graphql/stream"');
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="?https?:/);
  });

  it("lets that page run its own script alone, and ask this server alone", async () => {
    const { headers } = await get("/graphql", { accept: "text/html" });
    const policy = headers.get("content-security-policy")!.split("; ");
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"]),
    );
    expect(policy.find((rule) => rule.startsWith("script-src"))).toMatch(/^script-src 'sha256-[\w+/]{43}='$/);
  });

  it("gives the page to a browser that comes back to an address with a query", async () => {
    const response = await get("/graphql?query=%7B__typename%7D", { accept: "text/html" });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  });

  it("sends whoever comes to / to /graphql", async () => {
    const response = await get("/");
    expect([response.status, response.headers.get("location")]).toEqual([302, "/graphql"]);
  });
});

describe("the server refuses", () => {
  it("a path that is none, and a method that a path does not have", async () => {
    const none = await get("/secret");
    expect([none.status, await none.json()]).toEqual([
      404,
      { errors: [{ message: "GET /secret: there is nothing here", extensions: { code: "BAD_REQUEST" } }] },
    ]);
    const method = await fetch(`${server.url}/graphql`, { method: "DELETE" });
    expect([method.status, method.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
  });

  it("a body that is not JSON", async () => {
    const post = (contentType: string, body: string): Promise<Response> =>
      fetch(`${server.url}/graphql`, { method: "POST", headers: { "content-type": contentType }, body });
    const broken = await post("application/json", "{");
    expect(broken.status).toBe(400);
    expect((await broken.json()).errors[0].message).toMatch(/^POST: expected a body of JSON: /);
    expect((await post("text/plain", '{"query":"{__typename}"}')).status).toBe(400);
  });

  it("a body that is too large", async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ __typename }", x: "x".repeat(17 * 1024 * 1024) }),
    });
    expect(response.status).toBe(413);
  });

  it("a query that another site could make a browser send", async () => {
    const response = await get("/graphql?query=%7B__typename%7D");
    expect(response.status).toBe(400);
    expect((await response.json()).errors[0].message).toMatch(/Cross-Site Request Forgery/);
  });

  it("a target that is no path", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      request({ hostname, port, path: "http://[" }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(400);
  });
});
