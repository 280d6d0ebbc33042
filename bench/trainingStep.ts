/** What the benchmarks of training speed share: one step on random rows, and the machine's best matrix product. */
import * as tf from "@tensorflow/tfjs-core";
import { fillBatch, rowOrder } from "../src/data/batches.ts";
import type { SplitRows } from "../src/data/spec.ts";
import type { Engine } from "../src/engine/engine.ts";
import { flopsOfRun } from "../src/engine/graphCost.ts";
import { initialise, initialiseBuffers } from "../src/model/initialise.ts";
import type { Model } from "../src/model/model.ts";
import { glorotUniform, param } from "../src/plugin/layers.ts";
import { createRandom } from "../src/random.ts";
import { Learner, type LearnerOptions } from "../src/training/learner.ts";
import { sumOfLosses } from "../src/training/lossBalancing/gradientRules.ts";
import type { LossFunction } from "../src/training/lossFunctions.ts";
import { stepFunction, stepInputs } from "../src/training/stepFunction.ts";

/** Milliseconds of the best of four runs in a row; one before them is not counted, as it wakes the threads. */
export async function bestMilliseconds(work: () => Promise<unknown>): Promise<number> {
  await work();
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    await work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

interface RandomLearnerOptions extends Omit<LearnerOptions, "arrays" | "frozen"> {
  /** Rows of the embedding table. */
  readonly ids: number;
}

/** A learner and its next step, from random weights on random rows with skewed ids as in logs. */
export function randomLearner({ ids, ...options }: RandomLearnerOptions): {
  step: () => Promise<number>;
  release: () => Promise<void>;
} {
  const { model, gates, batchSize, seed } = options;
  const { embeddingDim } = model.sizes;
  const table = { embedding: param([ids, embeddingDim], glorotUniform(ids, embeddingDim)) };
  const first = initialise({ ...table, ...model.weights, ...(gates ? model.gates : {}) }, seed);
  const learner = new Learner({ ...options, arrays: { ...first, ...initialiseBuffers(model.buffers) } });
  const source = randomRows(model, ids, batchSize, seed);
  const order = rowOrder({ rows: source.rows, seed, epoch: 0, shuffle: true });
  const random = createRandom(seed, "gates");
  learner.batch.gates.forEach((_, i) => (learner.batch.gates[i] = random.bits() & 1));
  let steps = 0;
  const step = (): Promise<number> => {
    const start = (steps++ * batchSize) % source.rows;
    fillBatch({ source, order, start, end: start + batchSize, into: learner.batch });
    return learner.step(batchSize);
  };
  return { step, release: () => learner.release() };
}

/** Multiplications and additions of the matrix products of one step that trains the weights. */
export function stepFlops(model: Model, loss: LossFunction, batchSize: number): number {
  const named = (specs: Readonly<Record<string, { readonly shape: readonly number[] }>>) =>
    Object.entries(specs).map(([name, { shape }]) => ({ name, shape }));
  const sites = Object.entries({ ...model.dropout, ...model.noise }).map(([name, { width }]) => ({ name, width }));
  const arrays = {
    parameters: named(model.weights),
    buffers: named(model.buffers),
    frozen: [],
    masks: sites,
    rule: sumOfLosses,
  };
  return flopsOfRun(stepFunction(loss, arrays), stepInputs(model.sizes, arrays, batchSize));
}

/** Eight batches. */
function randomRows(model: Model, ids: number, batchSize: number, seed: number): SplitRows {
  const { fields, scenarios, tasks } = model.sizes;
  const rows = 8 * batchSize;
  const random = createRandom(seed, "bench");
  const perField = Math.floor(ids / fields);
  const draw = (_: number, i: number): number => (i % fields) * perField + Math.floor(perField * random.uniform() ** 2);
  return {
    rows,
    ids: new Int32Array(rows * fields).map(draw),
    numbers: new Float32Array(0),
    scenario: new Int32Array(rows).map(() => random.bits() % scenarios),
    labels: new Float32Array(rows * tasks).map(() => Number(random.uniform() < 0.3)),
  };
}

/** The best rate a graph can have here: two large square products, about as long as a step, so that noise hits alike. */
export async function matrixProduct(engine: Engine): Promise<{ run: () => Promise<unknown>; flops: number }> {
  const n = 2048;
  const program = await engine.compile(({ a, b }) => ({ c: tf.matMul(a!, b!) }), {
    a: { shape: [n, n] },
    b: { shape: [n, n] },
  });
  const random = createRandom(1, "gemm");
  const values = (): Float32Array => new Float32Array(n * n).map(() => random.uniform());
  const inputs = { a: values(), b: values() };
  const into = { c: new Float32Array(n * n) };
  const run = async (): Promise<void> => {
    await program.run(inputs, into);
    await program.run(inputs, into);
  };
  return { run, flops: 4 * n ** 3 };
}
