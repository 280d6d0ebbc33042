/** What a model is and how it is trained, without data and seed: checked, with every default filled in. */
import { z } from "zod";
import { defaultEngine, engineNames } from "../../engine/engines.ts";
import type { EngineName } from "../../engine/engines.ts";
import { PluginError, ProductError } from "../../errors.ts";
import type { HeadSpec } from "../../model/spec.ts";
import type { BackbonePlugin } from "../../plugin/contract.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { presets } from "../../training/hyperParameters.ts";
import type { HyperParameters, Preset } from "../../training/hyperParameters.ts";
import { completeHyperParameters, hyperParametersInput } from "./completeHyperParameters.ts";
import { completeHead, headInput } from "./headInput.ts";
import { parseInput } from "../parseInput.ts";
import { usableEngine } from "./runSettings.ts";

/** The members of a request that describe a model; the schema of the whole request has them among its own. */
export const modelInput = {
  backbone: z.strictObject({ plugin: z.string(), config: z.unknown().optional() }),
  head: headInput,
  preset: z.enum(presets),
  hyperParameters: hyperParametersInput.default({}),
  engine: z.enum(engineNames).default(defaultEngine),
};

export type ModelInput = z.output<z.ZodObject<typeof modelInput>>;

/** The part of a NewRun that it fills. */
export interface PlannedModel {
  readonly kind: "SEARCH" | "TRAIN";
  readonly backboneName: string;
  readonly backboneConfig: unknown;
  readonly head: HeadSpec;
  readonly hyperParameters: HyperParameters;
  readonly preset: Preset;
  readonly engine: EngineName;
}

/**
 * `field` is where the input stands in the request. Throws InvalidInputError with the path of what is wrong,
 * NotFoundError for the plugin, PluginError where its configuration throws, UnavailableError for the engine.
 */
export function plannedModel(
  plugins: ReadonlyMap<string, BackbonePlugin>,
  { backbone, head: givenHead, preset, hyperParameters, engine }: ModelInput,
  field: string,
): PlannedModel {
  const head = completeHead(givenHead, preset);
  const plugin = backbonePlugin(plugins, backbone.plugin, `${field}.backbone.plugin`);
  return {
    kind: head.kind === "AUTOIFS" ? "SEARCH" : "TRAIN",
    backboneName: plugin.name,
    backboneConfig: configOf(plugin, backbone.config ?? {}, `${field}.backbone.config`),
    head,
    hyperParameters: completeHyperParameters(preset, head, hyperParameters, `${field}.hyperParameters`),
    preset,
    engine: usableEngine(engine, `${field}.engine`),
  };
}

/** What a schema asks of a configuration may be code of the plugin. Throws PluginError where that throws. */
function configOf(plugin: BackbonePlugin, given: unknown, field: string): unknown {
  try {
    return parseInput(plugin.config, given, field);
  } catch (error) {
    if (error instanceof ProductError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new PluginError(`plugin ${plugin.name}: config: ${message}`, { field }, error);
  }
}
