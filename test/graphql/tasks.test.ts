import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("tasks", () => {
  it("are registered under a key and read by it", async () => {
    const registered = await server.query(`mutation {
      registerTask(input: { key: "long_view", name: "Long view" }) { task { key name description } }
    }`);
    const task = { key: "long_view", name: "Long view", description: "" };
    expect(registered).toEqual({ data: { registerTask: { task } } });
    expect(
      await server.query(`{ task(key: "long_view") { key name description } none: task(key: "x") { key } }`),
    ).toEqual({ data: { task, none: null } });
  });

  it("are listed in the order of registration", async () => {
    await server.query(`mutation { registerTask(input: { key: "click" }) { task { id } } }`);
    expect(await server.query(`{ tasks { nodes { key } } }`)).toEqual({
      data: { tasks: { nodes: [{ key: "long_view" }, { key: "click" }] } },
    });
  });

  it("are nodes", async () => {
    const { data } = await server.query(`{ task(key: "click") { id } }`);
    const { id } = data.task;
    expect(await server.query(`query ($id: ID!) { node(id: $id) { __typename ... on Task { key } } }`, { id })).toEqual(
      {
        data: { node: { __typename: "Task", key: "click" } },
      },
    );
  });
});
