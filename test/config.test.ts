import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";

describe("the configuration", () => {
  it("has a default for everything", () => {
    expect(loadConfig({})).toEqual({
      databaseFile: resolve("data/database/autoifs.db"),
      artifactsFolder: resolve("data/artifacts"),
      filesFolder: resolve("data/files"),
      scratchFolder: resolve("data/scratch"),
      pluginsFolder: resolve("plugins"),
      pluginPackages: [],
      pluginTrialSeconds: 20,
      pluginSeconds: 60,
      predictThreads: Math.max(1, Math.floor(availableParallelism() / 2)),
      predictWaitMs: 0,
      modelMemoryMb: 2048,
      host: "127.0.0.1",
      port: 4000,
      workers: 1,
      uploadLimit: 2147483648,
      maxAttempts: 3,
      checkpointMinutes: 5,
      leaseSeconds: 30,
      costLimit: 50_000,
      rateLimit: 1_000_000,
      timeLimitSeconds: 60,
      origins: [],
      documentsFile: undefined,
      documentsOnly: false,
      introspection: true,
      graphiql: true,
      webhookPrivate: false,
      logFormat: "json",
      logLevel: "info",
      tracesUrl: "",
    });
  });

  it("takes what the environment says", () => {
    const environment = {
      AUTOIFS_DATA: "/srv/autoifs",
      AUTOIFS_FILES: "/mnt/logs",
      AUTOIFS_PORT: "0",
      AUTOIFS_WORKERS: "2",
    };
    expect(loadConfig(environment)).toMatchObject({
      databaseFile: "/srv/autoifs/database/autoifs.db",
      filesFolder: "/mnt/logs",
      port: 0,
      workers: 2,
    });
  });

  it.each(["", " "])("takes %j as not set", (value) => {
    expect(loadConfig({ AUTOIFS_PORT: value, AUTOIFS_HOST: value })).toMatchObject({ port: 4000, host: "127.0.0.1" });
  });

  it.each(["abc", "-1", "65536", "80.5", "1e3"])("refuses port %s, naming the variable", (port) => {
    expect(() => loadConfig({ AUTOIFS_PORT: port })).toThrow(
      `AUTOIFS_PORT: expected a whole number from 0 to 65535, got "${port}"`,
    );
  });

  it("has trusted documents, the schema and GraphiQL as the environment says", () => {
    const environment = { AUTOIFS_DOCUMENTS: "/srv/documents.json", AUTOIFS_DOCUMENTS_ONLY: "1" };
    expect(loadConfig({ ...environment, AUTOIFS_INTROSPECTION: "0", AUTOIFS_GRAPHIQL: "0" })).toMatchObject({
      documentsFile: "/srv/documents.json",
      documentsOnly: true,
      introspection: false,
      graphiql: false,
    });
    expect(loadConfig({})).toMatchObject({ documentsOnly: false, introspection: true, graphiql: true });
  });

  it("refuses to take trusted documents only where there are none, and a switch that is neither 0 nor 1", () => {
    expect(() => loadConfig({ AUTOIFS_DOCUMENTS_ONLY: "1" })).toThrow(
      'AUTOIFS_DOCUMENTS: expected a file of documents, because AUTOIFS_DOCUMENTS_ONLY is 1, got ""',
    );
    expect(() => loadConfig({ AUTOIFS_GRAPHIQL: "no" })).toThrow(
      'AUTOIFS_GRAPHIQL: expected a whole number from 0 to 1, got "no"',
    );
  });

  it.each([
    ["AUTOIFS_LOG", "xml", "one of json, text"],
    ["AUTOIFS_LOG_LEVEL", "loud", "one of debug, info, warn, error"],
    ["AUTOIFS_TRACES", "127.0.0.1:4318", "an address such as http://127.0.0.1:4318/v1/traces"],
  ])("refuses %s %s", (name, value, expected) => {
    expect(() => loadConfig({ [name]: value })).toThrow(`${name}: expected ${expected}, got "${value}"`);
  });
});
