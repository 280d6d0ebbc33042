/** Runs one function of a backbone on two engines, eager tfjs and compiled, and tells how far apart their results are. */
import * as tf from "@tensorflow/tfjs";
import { createCompiledEngine } from "../engine/compiledEngine.ts";
import { createEagerEngine } from "../engine/eagerEngine.ts";
import type { InputSpecs, TensorFunction } from "../engine/engine.ts";
import type { Params } from "../plugin/contract.ts";
import { gradientsOf, makeRows, outputsOf, probeLoss, run, toBatch, type Trial } from "./trial.ts";

/** The largest absolute difference per result. */
export type Differences = Readonly<Record<string, number>>;

/** One training step without the step: the loss and all its gradients. */
export function compareTraining(trial: Trial, batchSize: number): Promise<Differences> {
  return compare(trial, [batchSize], batchSize, (at, batch) => {
    const { loss, gradients } = gradientsOf(at, batch, (t, b) => probeLoss(t, b, { training: true }));
    const named = Object.entries(gradients).map(([name, gradient]) => [`gradient of ${name}`, gradient]);
    return { loss, ...Object.fromEntries(named) };
  });
}

/** Evaluation, from one graph that takes any batch size, as it is served. */
export function compareEvaluation(trial: Trial, batchSizes: readonly number[]): Promise<Differences> {
  return compare(trial, batchSizes, "batch", (at, batch) =>
    Object.fromEntries(outputsOf(run(at, batch)).map((h, t) => [`output ${t}`, h])),
  );
}

type Probe = (trial: Trial, batch: ReturnType<typeof toBatch>) => Record<string, tf.Tensor>;

async function compare(
  trial: Trial,
  batchSizes: readonly number[],
  axis: number | "batch",
  probe: Probe,
): Promise<Differences> {
  const state: Params = { ...trial.params, ...trial.buffers };
  const specs: InputSpecs = {
    ...Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, { shape }])),
    "batch.features": { shape: [axis, trial.sizes.inputDim] },
    "batch.scenarioOneHot": { shape: [axis, trial.sizes.scenarios] },
  };
  const fn: TensorFunction = (inputs) => {
    const pick = (from: Params): Params => Object.fromEntries(Object.keys(from).map((name) => [name, inputs[name]!]));
    return probe(
      { ...trial, params: pick(trial.params), buffers: pick(trial.buffers) },
      {
        features: inputs["batch.features"] as tf.Tensor2D,
        scenarioOneHot: inputs["batch.scenarioOneHot"] as tf.Tensor2D,
      },
    );
  };
  const compiled = await createCompiledEngine({ threads: 1 }).compile(fn, specs);
  const eager = await (await createEagerEngine("cpu")).compile(fn, specs);
  const differences: Record<string, number> = {};
  for (const size of batchSizes) {
    const { features, scenarioOneHot } = toBatch(trial, makeRows(trial, size));
    const tensors: Params = { ...state, "batch.features": features, "batch.scenarioOneHot": scenarioOneHot };
    const inputs = Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, x.dataSync() as Float32Array]));
    const expected = await eager.run(inputs);
    const actual = await compiled.run(inputs);
    for (const [name, values] of Object.entries(expected)) {
      const difference = values.reduce((largest, x, i) => Math.max(largest, Math.abs(x - actual[name]![i]!)), 0);
      differences[name] = Math.max(differences[name] ?? 0, difference);
    }
  }
  await compiled.release();
  await eager.release();
  return differences;
}
