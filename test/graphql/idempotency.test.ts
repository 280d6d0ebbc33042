/** A request that is sent twice with the same key is done once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../server/testServer.ts";
import { startTestServer } from "../server/testServer.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server.close());

const register = `mutation ($input: RegisterScenarioInput!) {
  registerScenario(input: $input) { scenario { id key } userErrors { code field message hint } }
}`;

const scenarios = async () => (await server.query("{ scenarios { nodes { key } } }")).data.scenarios.nodes;

describe("a mutation with an idempotency key", () => {
  it("sent again gives the same thing, and makes nothing", async () => {
    const input = { key: "home", idempotencyKey: "first-try" };
    const first = await server.query(register, { input });
    const again = await server.query(register, { input });
    expect(first.data.registerScenario.scenario).toMatchObject({ key: "home" });
    expect(again).toEqual(first);
    expect(await scenarios()).toEqual([{ key: "home" }]);
  });

  it("sent many times at once is done once", async () => {
    const input = { key: "feed", idempotencyKey: "at-once" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.query(register, { input })));
    expect(new Set(answers.map(({ data }) => data.registerScenario.scenario.id)).size).toBe(1);
  });

  it("sent with another input is a conflict that names the key, and makes nothing", async () => {
    const input = { key: "other", idempotencyKey: "first-try" };
    expect((await server.query(register, { input })).data.registerScenario).toEqual({
      scenario: null,
      userErrors: [
        {
          code: "CONFLICT",
          field: "input.idempotencyKey",
          message:
            "input.idempotencyKey: expected a new key, or the input that was sent with it before, but " +
            '"first-try" was sent with another input',
          hint: "make a new key for every new request, and keep it for sending the same one again",
        },
      ],
    });
    expect(await scenarios()).not.toContainEqual({ key: "other" });
  });

  it("that was refused may be sent again with the same key", async () => {
    const input = { key: "NOT A KEY", idempotencyKey: "refused" };
    expect((await server.query(register, { input })).data.registerScenario.userErrors).toMatchObject([
      { code: "INVALID_INPUT", field: "input.key" },
    ]);
    const better = { key: "search", idempotencyKey: "refused" };
    expect((await server.query(register, { input: better })).data.registerScenario.scenario.key).toBe("search");
  });

  it("of another kind is a conflict", async () => {
    const task = `mutation { registerTask(input: { key: "click", idempotencyKey: "first-try" }) { userErrors { code message } } }`;
    const { userErrors } = (await server.query(task)).data.registerTask;
    expect(userErrors).toMatchObject([{ code: "CONFLICT" }]);
    expect(userErrors[0].message).toContain("was sent with registerScenario");
  });

  it("outlives a restart of the server", async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const { join } = await import("node:path");
    const folder = await mkdtemp(join(tmpdir(), "autoifs-again-"));
    const input = { key: "home", idempotencyKey: "before" };
    const before = await startTestServer({ folder });
    const first = await before.query(register, { input });
    await before.close();
    const after = await startTestServer({ folder });
    expect(await after.query(register, { input })).toEqual(first);
    await after.close();
    await rm(folder, { recursive: true });
  });

  it("needs a key of 1 to 255 characters", async () => {
    for (const idempotencyKey of ["", "x".repeat(256)]) {
      const { userErrors } = (await server.query(register, { input: { key: "k", idempotencyKey } })).data
        .registerScenario;
      expect(userErrors).toMatchObject([{ code: "INVALID_INPUT", field: "input.idempotencyKey" }]);
    }
  });
});

describe("a refusal", () => {
  it("is an error of the request where nobody asks for user errors, so that it cannot be overlooked", async () => {
    const { data, errors } = await server.query(
      `mutation { registerScenario(input: { key: "home" }) { scenario { id } } }`,
    );
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: "CONFLICT", field: "input.key" } }]);
  });
});
