/** Tokens: how they are given, what they let in, how they end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../server/testServer.ts";
import { startTestServer } from "../server/testServer.ts";

let server: TestServer;
let admin: Record<string, string>;

const create = `mutation ($input: CreateTokenInput!) {
  createToken(input: $input) { token { id name role expiresAt lastUsedAt revokedAt } secret userErrors { code field message } }
}`;

beforeAll(async () => {
  server = await startTestServer({ settings: { AUTOIFS_RATE_LIMIT: "300" } });
});

afterAll(() => server.close());

const get = (headers: Record<string, string>) =>
  fetch(`${server.url}/graphql?query={viewer{name,role}}`, {
    headers: { ...headers, "apollo-require-preflight": "1" },
  });

describe("without tokens", () => {
  it("everybody on this machine may do everything", async () => {
    const { data } = await server.query("{ viewer { tokenId name role } }");
    expect(data).toEqual({ viewer: { tokenId: null, name: "anybody", role: "ADMIN" } });
  });

  it("a name that only points to this machine is refused, for any page could have one", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      const sent = request(`${server.url}/graphql?query={__typename}`, {
        headers: { host: "evil.example", "apollo-require-preflight": "1" },
      });
      sent.on("response", (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(421);
  });
});

describe("a token", () => {
  it("is shown once, and from then on nobody gets in without one", async () => {
    const { data } = await server.query(create, { input: { name: "ops", role: "ADMIN" } });
    const { token, secret } = data.createToken;
    expect(token).toMatchObject({ name: "ops", role: "ADMIN", expiresAt: null, lastUsedAt: null, revokedAt: null });
    expect(secret).toMatch(/^autoifs_[\w-]{43}$/);
    admin = { authorization: `Bearer ${secret}` };

    const without = await get({});
    expect(without.status).toBe(401);
    expect(without.headers.get("www-authenticate")).toBe('Bearer realm="autoifs"');
    expect(await without.json()).toMatchObject({ errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });
    expect(await (await get(admin)).json()).toMatchObject({ data: { viewer: { name: "ops", role: "ADMIN" } } });
  });

  it("is not in the database as it is", async () => {
    const { data } = await server.query("{ tokens { nodes { name lastUsedAt } } }", {}, admin);
    expect(data.tokens.nodes).toEqual([{ name: "ops", lastUsedAt: expect.stringMatching(/^20/) as string }]);
  });

  it("and a webhook are for administrators: by its id nobody else learns that there is one", async () => {
    const { secret } = (await server.query(create, { input: { name: "curious", role: "EDITOR" } }, admin)).data
      .createToken;
    const ids = (await server.query("{ tokens { nodes { id } } }", {}, admin)).data.tokens.nodes;
    const hook = `mutation { createWebhook(input: { url: "https://example.org", events: [RUN_SUCCEEDED] }) { webhook { id } } }`;
    ids.push((await server.query(hook, {}, admin)).data.createWebhook.webhook);
    const look = `query ($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id } }`;
    const variables = { id: ids[0].id, ids: ids.map(({ id }: { id: string }) => id) };
    expect((await server.query(look, variables, admin)).data).toEqual({ node: ids[0], nodes: ids });
    const { data } = await server.query(look, variables, { authorization: `Bearer ${secret}` });
    expect(data).toEqual({ node: null, nodes: [null, null, null] });
  });

  it("that was asked for twice is one, whose secret is not shown again", async () => {
    const input = { name: "twice", role: "VIEWER", idempotencyKey: "t" };
    const first = (await server.query(create, { input }, admin)).data.createToken;
    const again = (await server.query(create, { input }, admin)).data.createToken;
    expect(again).toEqual({ ...first, secret: null });
  });

  it("that has expired or was revoked lets nobody in", async () => {
    const revoke = `mutation ($token: ID!) { revokeToken(input: { token: $token }) { token { revokedAt } } }`;
    const { token, secret } = (await server.query(create, { input: { name: "short", role: "VIEWER" } }, admin)).data
      .createToken;
    const holder = { authorization: `Bearer ${secret}` };
    expect((await get(holder)).status).toBe(200);
    const { data } = await server.query(revoke, { token: token.id }, admin);
    expect(data.revokeToken.token.revokedAt).toMatch(/^20/);
    expect((await get(holder)).status).toBe(401);

    const expiresAt = new Date(Date.now() + 300).toISOString();
    const soon = (await server.query(create, { input: { name: "soon", role: "VIEWER", expiresAt } }, admin)).data
      .createToken;
    const { eventually } = await import("../server/testServer.ts");
    await eventually(async () =>
      (await get({ authorization: `Bearer ${soon.secret}` })).status === 401 ? true : undefined,
    );
  });

  it("cannot be made with an end that is over, or without a name", async () => {
    const over = { name: "over", role: "VIEWER", expiresAt: "2020-01-01T00:00:00.000Z" };
    expect((await server.query(create, { input: over }, admin)).data.createToken.userErrors).toMatchObject([
      { code: "INVALID_INPUT", field: "input.expiresAt" },
    ]);
    expect(
      (await server.query(create, { input: { name: " ", role: "VIEWER" } }, admin)).data.createToken.userErrors,
    ).toMatchObject([{ code: "INVALID_INPUT", field: "input.name" }]);
  });

  it("has so many points a minute, and the answers say how many are left", async () => {
    const { secret } = (await server.query(create, { input: { name: "busy", role: "VIEWER" } }, admin)).data
      .createToken;
    const ask = (first: number) =>
      fetch(`${server.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
        body: JSON.stringify({ query: `{ runs(first: ${first}) { nodes { dataset { id } } } }` }),
      });
    const first = await ask(100);
    expect([first.status, first.headers.get("ratelimit-policy")]).toEqual([200, '"points";q=300;w=60']);
    expect(first.headers.get("ratelimit")).toMatch(/^"points";r=\d\d;t=\d\d$/);
    const second = await ask(100);
    expect([second.status, Number(second.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(await second.json()).toMatchObject({ errors: [{ extensions: { code: "RATE_LIMITED" } }] });
    expect((await ask(10)).status).toBe(200);
  });
});
