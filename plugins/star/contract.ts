/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Params } from "#plugin";
import type { Configuration } from "#plugin/testing";

const config = { layers: [8, 6], auxiliaryLayers: [5], scenarioDim: 3 };

export const subjects: readonly Configuration[] = [
  { config, permuteScenarios, mixesRowsOf: "SCENARIO" },
  {
    label: "no normalisation, a linear auxiliary network",
    config: { ...config, partitionedNorm: false, auxiliaryLayers: [] },
    permuteScenarios,
  },
];

/** Rows where there is one for each scenario, else the last axis, which holds them side by side. */
export function scenarioAxis(name: string, value: tf.Tensor): number {
  return name.startsWith("star.") ? value.rank - 1 : 0;
}

function permuteScenarios(params: Params, order: readonly number[]): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      if (!/scenario|norm\.mean|norm\.variance|norm\.seen/.test(name)) return [name, value];
      const axis = scenarioAxis(name, value);
      const parts = tf.split(value, order.length, axis);
      return [
        name,
        tf.concat(
          order.map((s) => parts[s]!),
          axis,
        ),
      ];
    }),
  );
}
