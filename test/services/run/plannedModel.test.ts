import { describe, expect, it } from "vitest";
import { z } from "zod";
import sharedBottom from "../../../plugins/shared-bottom/index.ts";
import { PluginError } from "../../../src/errors.ts";
import type { BackbonePlugin } from "../../../src/plugin/contract.ts";
import { type ModelInput, plannedModel } from "../../../src/services/run/plannedModel.ts";

/** Whose configuration is refused at 1, and whose code for that breaks at 2. */
const picky: BackbonePlugin = {
  ...(sharedBottom as BackbonePlugin),
  name: "picky",
  config: z.strictObject({ size: z.number().default(0) }).refine(({ size }) => {
    if (size === 2) throw new TypeError("boom");
    return size !== 1;
  }, "another size"),
};

const planned = (config: unknown) => {
  const head = { kind: "TOWERS" } as ModelInput["head"];
  const backbone = { plugin: "picky", config };
  const input: ModelInput = { backbone, head, preset: "RECOMMENDED", hyperParameters: {}, engine: "compiled" };
  return plannedModel(new Map([["picky", picky]]), input, "input");
};

describe("the plan of a model", () => {
  it("has the configuration of the plugin with its defaults", () => {
    expect(planned({}).backboneConfig).toEqual({ size: 0 });
  });

  it("refuses what the plugin refuses, with the path", () => {
    expect(() => planned({ size: 1 })).toThrow("input.backbone.config: expected another size");
    expect(() => planned({ size: "large" })).toThrow("input.backbone.config.size: expected a value of type number");
  });

  it("names a plugin whose configuration throws", () => {
    expect(() => planned({ size: 2 })).toThrow(PluginError);
    expect(() => planned({ size: 2 })).toThrow("plugin picky: config: boom");
  });
});
