/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Params } from "#plugin";
import type { Configuration } from "#plugin/testing";

const blockParts = ["kernel", "bias", "gamma", "beta"];
/** What lies below z, which the gates read without a gradient. */
const stopsGradientOf = [
  "features",
  ...["kernel", "bias", "scenario.kernel", "scenario.bias"].map((part) => `star.${part}`),
  ...blockParts.flatMap((part) => [`inner.${part}`, `skip.${part}`]),
];

export const subjects: readonly Configuration[] = [
  { config: { starWidth: 8, sharedWidth: 7, experts: 2, layers: [6] }, permuteScenarios, stopsGradientOf },
];

function permuteScenarios(params: Params, order: readonly number[]): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const expert = /^scenario(\d+)(\..*)/.exec(name);
      if (expert) return [name, params[`scenario${order[Number(expert[1])]}${expert[2]}`]!];
      if (!/\.scenario\.|\.gate\./.test(name)) return [name, value];
      const parts = tf.split(value, order.length, value.rank - 1);
      const moved = order.map((s) => parts[s]!);
      return [name, tf.concat(moved, value.rank - 1)];
    }),
  );
}
