/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Configuration } from "#plugin/testing";

const config = { layers: [8, 6], scenarioDim: 3, embeddingGateWidth: 5, towerGateWidth: 4 };

const common = {
  permuteScenarios: (params, order) => ({ ...params, scenario: tf.gather(params["scenario"]!, [...order]) }),
  // What the gates read of x and x' teaches neither: not the embeddings' gate, nor what it is made of.
  stopsGradientOf: [
    "features",
    "scenario",
    ...["hidden.kernel", "hidden.bias", "out.kernel", "out.bias"].map((name) => `embedding.gate.${name}`),
  ],
} satisfies Partial<Configuration>;

export const subjects: readonly Configuration[] = [
  { ...common, config },
  {
    ...common,
    label: "with priors, gates at the input of layers",
    config: { ...config, priors: ["field2", "field0"], scenarioPriors: ["field1"], placement: "input" },
  },
];
