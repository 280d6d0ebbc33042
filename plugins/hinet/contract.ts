/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Params } from "#plugin";
import type { Configuration } from "#plugin/testing";

const config = {
  subExperts: 2,
  subLayers: [6, 4],
  scenarioDim: 3,
  specificExperts: 1,
  sharedExperts: 1,
  taskLayers: [5],
};

export const subjects: readonly Configuration[] = [
  { config, permuteScenarios },
  {
    label: "attention masked after the softmax, experts per scenario and task",
    config: { ...config, subLayers: [5], attention: "mask_after_softmax", expertsBy: "scenario_task" },
    permuteScenarios,
  },
];

function permuteScenarios(params: Params, order: readonly number[]): Params {
  const of = (name: string): string => name.replace(/scenario(\d)/, (_, i) => `scenario${order[Number(i)]}`);
  const moved = Object.keys(params).map((name) => {
    const value = params[of(name)]!;
    if (name === "scenarioEmbedding") return [name, tf.gather(value, [...order])];
    return [name, name.startsWith("attention.") ? tf.gather(value, [...order], value.rank - 1) : value];
  });
  return Object.fromEntries(moved) as Params;
}
