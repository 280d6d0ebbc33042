/** A quick trial of a plugin: built with its defaults at small sizes, and its forward pass recorded once. Nothing is computed. */
import type { InputSpecs } from "../../engine/engine.ts";
import { trace } from "../../engine/trace.ts";
import { buildModel } from "../../model/model.ts";
import type { BackbonePlugin, Params } from "../../plugin/contract.ts";
import { pluginError, type PluginWatch } from "../../plugin/guard.ts";
import { importPlugin, type PluginSource } from "../../plugin/registry.ts";

const sizes = { fields: 2, embeddingDim: 4, scenarios: 2, tasks: 2 };

/** Throws PluginError. */
export async function tryPlugin(source: PluginSource, watch: PluginWatch): Promise<void> {
  const plugin = await importPlugin(source, watch);
  try {
    recordForward(plugin);
  } catch (error) {
    // What was thrown outside of its functions was made of what they gave.
    throw pluginError(source, "forward", error);
  }
}

function recordForward(plugin: BackbonePlugin): void {
  const backbone = { name: plugin.name, config: plugin.config.parse({}) };
  const model = buildModel({ backbone, head: { kind: "TOWERS", layers: [] } }, plugin, sizes);
  const inputs: InputSpecs = {
    ...model.weights,
    ...model.buffers,
    features: { shape: ["batch", sizes.fields * sizes.embeddingDim] },
    scenarioOneHot: { shape: ["batch", sizes.scenarios] },
  };
  trace((tensors) => {
    const { features, scenarioOneHot } = tensors as Params & Parameters<NonNullable<typeof model.towers>>[1];
    return { logits: model.towers!(tensors, { features, scenarioOneHot }).output };
  }, inputs);
}
