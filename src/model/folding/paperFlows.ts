/** Folds a head with the flows of the paper: what gates remove is subtracted from the full logit. */
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import { foldDeepTasks } from "./paperDeepTasks.ts";
import { foldFlatTasks } from "./paperFlatTasks.ts";
import type { TasksOptions } from "./paperTasks.ts";
import { foldScenarioLayer } from "./scenarioLayer.ts";

export function foldPaperFlows(options: TasksOptions) {
  const { constants, weights, only } = options;
  const layers = weights.scenarioLayers.map((layer, j) => ({ constants, layer, only, name: `head/scenario.${j}` }));
  const earlier = layers.slice(0, -1).map((layer) => foldScenarioLayer(layer));
  const fold = weights.taskLayers.length === 1 ? foldFlatTasks : foldDeepTasks;
  const { extra, logits } = fold(options);
  const last = foldScenarioLayer({ ...layers.at(-1)!, ...(extra ? { extra } : {}) });
  /** `rowGates` [batch, 4·tasks] → logits of the tasks [batch, tasks]. */
  return (
    p: Params,
    representation: Tensor2D,
    scenario: Tensor1D | undefined,
    rowGates: Tensor2D | undefined,
  ): Tensor2D => {
    const u = earlier.reduce((x, layer) => layer(p, x, scenario).z, representation);
    return logits(p, { u, scenario, ...last(p, u, scenario) }, rowGates);
  };
}
