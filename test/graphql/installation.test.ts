import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("plugins", () => {
  it("are listed by name, each with its paper", async () => {
    const { data } = await server.query(`{ plugins { name summary paper { venue url } } }`);
    const names: string[] = data.plugins.map(({ name }: { name: string }) => name);
    expect(names).toEqual(names.toSorted());
    expect(data.plugins).toContainEqual({
      name: "mmoe",
      summary: expect.any(String),
      paper: { venue: "KDD 2018", url: "https://doi.org/10.1145/3219819.3220007" },
    });
  });

  it("show their configuration as JSON Schema, with the defaults", async () => {
    const { data } = await server.query(`{ plugins { name configSchema defaults } }`);
    const mmoe = data.plugins.find(({ name }: { name: string }) => name === "mmoe");
    expect(mmoe.defaults).toEqual({ experts: 4, layers: [512, 256], gateLayers: [], gateBy: "task" });
    expect(mmoe.configSchema).toMatchObject({
      type: "object",
      properties: { experts: { type: "integer", minimum: 1, default: 4 } },
      additionalProperties: false,
    });
  });
});

describe("engines", () => {
  it("say which can be used here, which is the default, and why", async () => {
    const { data } = await server.query(`{ engines { name available isDefault reason } }`);
    const [first, ...others] = data.engines;
    expect(first).toEqual({ name: "COMPILED", available: true, isDefault: true, reason: expect.any(String) });
    expect(others.map(({ name }: { name: string }) => name)).toEqual(["CPU", "WASM", "TENSORFLOW"]);
    for (const { isDefault, reason } of others) {
      expect(isDefault).toBe(false);
      expect(reason).not.toBe("");
    }
  });
});
