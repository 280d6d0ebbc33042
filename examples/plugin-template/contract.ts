/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Configuration } from "#plugin/testing";

export const subjects: readonly Configuration[] = [
  {
    config: { layers: [16, 8] }, // small widths, to be quick
    // Row s of the scales belongs to scenario s.
    permuteScenarios: (params, order) => ({ ...params, scale: tf.gather(params["scale"]!, [...order]) }),
  },
];
