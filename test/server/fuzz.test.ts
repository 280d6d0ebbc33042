/** A few hundred generated requests, careless and hostile, against the real server. `bench -- fuzz` sends many more. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fuzz } from "../../bench/fuzz.ts";
import type { TestServer } from "./testServer.ts";
import { startTestServer } from "./testServer.ts";

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-fuzz-"));
  server = await startTestServer({ folder });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it("no generated request crashes the server, shows its inside, or changes something and is refused", async () => {
  const result = await fuzz({
    url: server.url,
    databaseFile: join(folder, "database", "autoifs.db"),
    requests: 300,
    seed: 1,
  });
  const { mutations, refused, ...rest } = result;
  expect(rest).toEqual({
    requests: 300,
    crashes: 0,
    serverErrors: 0,
    unmasked: 0,
    masked: 0,
    changedByRefused: 0,
    faults: [],
  });
  // Not all are refused: there is something to be changed.
  expect(mutations).toBeGreaterThan(refused);
  expect(server.log).toEqual([]);
});
