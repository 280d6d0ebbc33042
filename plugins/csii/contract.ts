/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Params } from "#plugin";
import type { Configuration } from "#plugin/testing";

const config = { layers: [8, 6] };

export const subjects: readonly Configuration[] = [
  { config, permuteScenarios },
  {
    label: "pooled sub-outputs, experts that learn from their own rows",
    config: { ...config, subOutputs: 3, detachForeign: true },
    permuteScenarios,
    stopsGradientOf: [0, 1, 2].flatMap((t) =>
      ["0.kernel", "0.bias", "1.kernel", "1.bias"].map((name) => `scenario${t}.${name}`),
    ),
  },
];

/** Experts and what is transferred to them move with their scenario, and so do the rows of arrays over scenarios. */
function permuteScenarios(params: Params, order: readonly number[]): Params {
  return Object.fromEntries(
    Object.keys(params).map((name) => {
      const source = name.replace(/^scenario(\d+)/, (_, t: string) => `scenario${order[Number(t)]}`);
      const overScenarios = /\.transfer\.(scale|shift|score)$|^attention\.weight$/.test(name);
      return [name, overScenarios ? tf.gather(params[source]!, [...order]) : params[source]!];
    }),
  );
}
