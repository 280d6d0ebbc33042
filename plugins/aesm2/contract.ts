/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Params } from "#plugin";
import type { Configuration, Trial } from "#plugin/testing";

const config = { experts: 4, scenarioLayers: [[6]], taskLayers: [[5]], scenarioDim: 3, taskDim: 2 };

export const subjects: readonly Configuration[] = [
  { config, permuteScenarios },
  {
    label: "two task layers, no noise",
    config: { ...config, experts: 3, scenarioLayers: [[12]], taskLayers: [[12], [10]], noise: 0 },
    permuteScenarios,
  },
];

function permuteScenarios(params: Params, order: readonly number[], { sizes }: Trial): Params {
  const moved = Object.entries(params).map(([name, value]) => {
    if (name === "scenarioEmbedding") return [name, tf.gather(value, [...order])];
    if (!/^scenarioLayer\d\.gate\./.test(name)) return [name, value];
    const columns = tf.split(value, sizes.scenarios, value.rank - 1); // those of each scenario
    return [
      name,
      tf.concat(
        order.map((s) => columns[s]!),
        value.rank - 1,
      ),
    ];
  });
  return Object.fromEntries(moved) as Params;
}
