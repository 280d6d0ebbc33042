import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePlugins } from "../services/plugins/madePlugins.ts";
import { ended, imported, prepareSmall } from "./smallDataset.ts";
import { hyperParameters, trained, trainModel } from "./smallModels.ts";
import { startTestServer, type TestServer } from "./testServer.ts";

// A server over plugins outside of the project, some of them broken.
let made: Awaited<ReturnType<typeof writePlugins>>;
let server: TestServer;
let dataset: string;
const { search: _, ...plain } = hyperParameters;
const head = { kind: "TOWERS" };

beforeAll(async () => {
  made = await writePlugins({
    odd: { atBuild: "if (config.hangs) for (;;);" },
    wrong: { gives: "features" },
  });
  server = await startTestServer({
    works: true,
    settings: {
      AUTOIFS_PLUGINS: made.folder,
      AUTOIFS_PLUGIN_PACKAGES: "no-such-package",
      AUTOIFS_PLUGIN_TRIAL_SECONDS: "60",
      AUTOIFS_PLUGIN_SECONDS: "1",
    },
  });
  await prepareSmall(server);
  dataset = await imported(server);
});
afterAll(async () => {
  await server.close();
  await made.remove();
});

describe("a plugin that fails its trial", () => {
  it("is left out, and the API and the log say why", async () => {
    const { data } = await server.query(`{ plugins { name } pluginFailures { source message } }`);
    const message = "plugin wrong: forward: expected representations [batch, 4], got [batch, 8] (wrong/index.js:12)";
    const missing =
      "plugin package no-such-package: expected a package that is installed here, but there is none of that name";
    expect(data).toEqual({
      plugins: [{ name: "odd" }],
      pluginFailures: [
        { source: "no-such-package", message: missing },
        { source: "wrong", message },
      ],
    });
    expect(server.log).toContain(message);
  });
});

describe("a plugin that hangs in a training", () => {
  it("ends the run as FAILED under its name, and the worker goes on with the next", async () => {
    const backbone = { plugin: "odd", config: { hangs: true } };
    const input = { dataset, backbone, head, hyperParameters: plain };
    const { data } = await server.query(trainModel, { input });
    expect(await ended(server, data.trainModel.run.id)).toBe("FAILED");
    const { data: failed } = await server.query(`query ($id: ID!) { run(id: $id) { error { code message } } }`, {
      id: data.trainModel.run.id,
    });
    expect(failed.run.error).toEqual({
      code: "PLUGIN_FAILED",
      message: "plugin odd: build did not end within 1 s",
    });
    await trained(server, trainModel, { ...input, backbone: { plugin: "odd" } });
  });
});
