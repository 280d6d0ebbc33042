import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("scenarios", () => {
  it("are none at first", async () => {
    expect(await server.query(`{ scenarios { nodes { key } pageInfo { hasNextPage endCursor } } }`)).toEqual({
      data: { scenarios: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } },
    });
  });

  it("are registered under a key, with a name and a description for people", async () => {
    const answer = await server.query(`mutation {
      registerScenario(input: { key: "home_feed", name: "Home feed", description: "The first page." }) {
        scenario { key name description }
      }
    }`);
    expect(answer).toEqual({
      data: {
        registerScenario: {
          scenario: { key: "home_feed", name: "Home feed", description: "The first page." },
        },
      },
    });
  });

  it("have the key for a name and no description where none is given", async () => {
    const answer = await server.query(`mutation {
      registerScenario(input: { key: "search" }) { scenario { name description } }
    }`);
    expect(answer.data.registerScenario.scenario).toEqual({ name: "search", description: "" });
  });

  it("are read by key, and as null where there is none", async () => {
    expect(await server.query(`{ scenario(key: "search") { key } other: scenario(key: "other") { key } }`)).toEqual({
      data: { scenario: { key: "search" }, other: null },
    });
  });

  it("say when they were registered, in UTC", async () => {
    const { data } = await server.query(`{ scenario(key: "search") { createdAt } }`);
    expect(data.scenario.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Math.abs(Date.now() - Date.parse(data.scenario.createdAt))).toBeLessThan(60_000);
  });

  it("are found by their global id, as all nodes are", async () => {
    const { data } = await server.query(`{ scenario(key: "search") { id } }`);
    const node = await server.query(`query ($id: ID!) { node(id: $id) { __typename id ... on Scenario { key } } }`, {
      id: data.scenario.id,
    });
    expect(node).toEqual({ data: { node: { __typename: "Scenario", id: data.scenario.id, key: "search" } } });
    expect(await server.query(`{ node(id: "scn_0") { id } other: node(id: "what") { id } }`)).toEqual({
      data: { node: null, other: null },
    });
  });

  it("are listed in the order of registration, page by page", async () => {
    await server.query(`mutation { registerScenario(input: { key: "channel" }) { scenario { id } } }`);
    const page = `query ($after: String) {
      scenarios(first: 2, after: $after) { edges { cursor node { key } } pageInfo { hasNextPage endCursor } }
    }`;
    const { scenarios: first } = (await server.query(page)).data;
    expect(first.edges.map((edge: { node: { key: string } }) => edge.node.key)).toEqual(["home_feed", "search"]);
    expect(first.pageInfo).toEqual({ hasNextPage: true, endCursor: first.edges[1].cursor });

    const { scenarios: second } = (await server.query(page, { after: first.pageInfo.endCursor })).data;
    expect(second.edges.map((edge: { node: { key: string } }) => edge.node.key)).toEqual(["channel"]);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });
});
