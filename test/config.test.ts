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
      host: "127.0.0.1",
      port: 4000,
      workers: 1,
      uploadLimit: 2147483648,
      maxAttempts: 3,
      checkpointMinutes: 5,
      leaseSeconds: 30,
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
});
