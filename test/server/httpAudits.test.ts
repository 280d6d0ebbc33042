/** The audits that the specification "GraphQL over HTTP" is checked by, over the real server, each as a test of its own. */
import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** With the header that tells a client from a page of another site, which a GET needs here. */
const fetchFn: typeof fetch = (url, init) =>
  fetch(url, { ...init, headers: { ...init?.headers, "apollo-require-preflight": "true" } });

describe("GraphQL over HTTP", () => {
  for (const audit of serverAudits({ url: () => `${server.url}/graphql`, fetchFn })) {
    it(`${audit.id}: ${audit.name}`, async () => {
      const result = await audit.fn();
      expect(result.status === "ok" ? "ok" : result.reason).toBe("ok");
    });
  }
});
