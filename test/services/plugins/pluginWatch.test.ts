import { describe, expect, it } from "vitest";
import type { PluginSource } from "../../../src/plugin/registry.ts";
import { sharedWatch, watchOf, watchOver } from "../../../src/services/plugins/pluginWatch.ts";
import { servingThreads } from "../../../src/services/prediction/beginServing.ts";
import type { HungPlugin } from "../../../src/services/prediction/threadLine.ts";
import { findPlugins } from "../../../src/plugin/registry.ts";
import type { ModelFiles } from "../../../src/services/prediction/poolMessages.ts";
import { writePlugins } from "./madePlugins.ts";

const sources = ["a", "b"].map((from): PluginSource => ({ from, label: `plugin ${from}`, module: "", root: "" }));

describe("the watch over plugins", () => {
  it("tells of the first whose step takes longer than it may, and of nothing that goes on", async () => {
    const shared = sharedWatch(2);
    const going = watchOf(shared, 0);
    const going10 = setInterval(() => {
      going.leave();
      going.enter("forward");
    }, 10);
    watchOf(shared, 1).enter("build");
    const told = await new Promise((resolve) => {
      watchOver(shared, { sources, seconds: 0.2, stuck: (error, place) => resolve([error.message, place]) });
      setTimeout(() => undefined, 1000); // keeps the process awake, which a watch does not
    });
    clearInterval(going10);
    expect(told).toEqual(["plugin b: build did not end within 0.2 s", 1]);
  });
});

describe("a prediction thread", () => {
  it("is ended when a plugin does not come to its end there, and its name is told", async () => {
    const { folder, remove } = await writePlugins({ loops: { atImport: "for (;;);" } });
    const found = await findPlugins(folder, []);
    const begin = servingThreads(new Map([["loops", found.sources[0]!]]), 0.5);
    const hung = await new Promise<HungPlugin | undefined>((resolve) => {
      const thread = begin({ report: () => undefined, ended: (_, plugin) => resolve(plugin) });
      thread.post({ kind: "LOAD", key: "m", files: { backbone: "loops" } as ModelFiles });
    });
    expect([hung?.backbone, hung?.error.message]).toEqual(["loops", "plugin loops: import did not end within 0.5 s"]);
    await remove();
  });
});
