import { describe, expect, it } from "vitest";
import { NotFoundError } from "../../src/errors.ts";
import { backbonePlugin, loadPlugins } from "../../src/plugin/registry.ts";

const bundled = new URL("../../plugins/", import.meta.url);

describe("loadPlugins", () => {
  it("finds every folder with an index file, by name and in alphabetical order", async () => {
    const { plugins, failures } = await loadPlugins(bundled);
    expect([...plugins.keys()]).toEqual(expect.arrayContaining(["mmoe", "ple", "shared-bottom"]));
    expect([...plugins.keys()]).toEqual([...plugins.keys()].sort());
    expect(failures).toEqual([]);
    expect(plugins.get("mmoe")?.paper.venue).toBe("KDD 2018");
  });
});

describe("backbonePlugin", () => {
  it("gives the plugin of a name", async () => {
    const { plugins } = await loadPlugins(bundled);
    expect(backbonePlugin(plugins, "ple").name).toBe("ple");
  });

  it("names what is there when the name is unknown", async () => {
    const { plugins } = await loadPlugins(bundled);
    const two = new Map(["mmoe", "ple"].map((name) => [name, plugins.get(name)!]));
    expect(() => backbonePlugin(two, "MMoE")).toThrow(NotFoundError);
    expect(() => backbonePlugin(two, "MMoE")).toThrow('backbone.name: expected one of mmoe, ple, got "MMoE"');
    expect(() => backbonePlugin(two, "MMoE", "input.backbone.plugin")).toThrow(
      'input.backbone.plugin: expected one of mmoe, ple, got "MMoE"',
    );
  });

  it("says so when there is no plugin at all", () => {
    expect(() => backbonePlugin(new Map(), "mmoe")).toThrow(
      'backbone.name: expected a plugin, but none is installed, got "mmoe"',
    );
  });
});
