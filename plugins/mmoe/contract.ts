/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import * as tf from "@tensorflow/tfjs-core";
import type { Configuration } from "#plugin/testing";

const config = { experts: 3, layers: [8, 6] };

export const subjects: readonly Configuration[] = [
  { config },
  { label: "gates with a hidden layer", config: { ...config, gateLayers: [5] } },
  {
    label: "one gate per scenario and task",
    config: { ...config, gateLayers: [5], gateBy: "scenario_task" },
    permuteScenarios: (params, order) =>
      Object.fromEntries(
        Object.entries(params).map(([name, value]) => [
          name,
          /\.gate\.out\./.test(name) ? blocks(value, order) : value,
        ]),
      ),
  },
];

/** The scenario blocks of a gate's columns in a new order. */
function blocks(gate: tf.Tensor, order: readonly number[]): tf.Tensor {
  const parts = tf.split(gate, order.length, gate.rank - 1);
  return tf.concat(
    order.map((s) => parts[s]!),
    gate.rank - 1,
  );
}
