/**
 * `npm run bench -- training`: samples/s of the search and the retrain step at the paper's size, everything included,
 * and the share they reach of the same machine's best matrix product through the same library in the same run.
 */
import * as tf from "@tensorflow/tfjs-core";
import sharedBottom from "../plugins/shared-bottom/index.ts";
import { fillBatch, rowOrder } from "../src/data/batches.ts";
import type { SplitRows } from "../src/data/spec.ts";
import { createCompiledEngine } from "../src/engine/compiledEngine.ts";
import type { Engine } from "../src/engine/engine.ts";
import { initialise } from "../src/model/initialise.ts";
import { buildModel, type Model } from "../src/model/model.ts";
import { glorotUniform, param } from "../src/plugin/layers.ts";
import { createRandom } from "../src/random.ts";
import { defaultHyperParameters } from "../src/training/hyperParameters.ts";
import { Learner } from "../src/training/learner.ts";
import { retrainLoss, searchLoss } from "../src/training/lossFunctions.ts";
import { median, type Options } from "./options.ts";

export const summary = "samples/s of a training step at the paper's size, and its share of the GEMM rate";

const layers = [1024, 512];
const head = {
  kind: "AUTOIFS",
  scenarioLayers: [256],
  taskLayers: [],
  rank: 2,
  gates: "ROW",
  gateLayers: layers,
  batchNorm: false,
  dropout: 0,
} as const;
const batchSize = 4096;
const [scenarios, tasks] = [3, 2];

export async function run(options: Options): Promise<Record<string, number>> {
  const fields = options.number("fields", 8);
  const ids = options.number("ids", 10_000);
  const seconds = options.number("seconds", 20);
  const seed = options.number("seed", 1);
  const engine = createCompiledEngine();
  const sizes = { fields, embeddingDim: 16, scenarios, tasks };
  const spec = { backbone: { name: "shared-bottom", config: { layers, batchNorm: false, dropout: 0 } }, head };
  const model = buildModel(spec, sharedBottom, sizes);
  const search = randomLearner(engine, model, ids, seed, true);
  const retrain = randomLearner(engine, model, ids, seed, false);
  const gemm = await matrixProduct(engine);

  // Rounds of a few steps of each: on a noisy machine the share is taken within a round, and the median over rounds.
  const rounds: { search: number; retrain: number; gemm: number }[] = [];
  const until = performance.now() + seconds * 1000;
  while (rounds.length < 3 || performance.now() < until) {
    const searchMs = await bestMilliseconds(search);
    const retrainMs = await bestMilliseconds(retrain);
    const gemmMs = await bestMilliseconds(gemm.run);
    rounds.push({
      search: (batchSize / searchMs) * 1000,
      retrain: (batchSize / retrainMs) * 1000,
      gemm: gemm.flops / gemmMs / 1e6,
    });
  }
  const share = (of: "search" | "retrain", withGates: boolean): number =>
    median(rounds.map((round) => (round[of] * stepFlops(fields * 16, withGates)) / (round.gemm * 1e9)));
  return {
    searchSamplesPerSecond: Math.round(median(rounds.map((round) => round.search))),
    retrainSamplesPerSecond: Math.round(median(rounds.map((round) => round.retrain))),
    gemmGflops: Math.round(median(rounds.map((round) => round.gemm)) * 10) / 10,
    searchShareOfGemm: Math.round(share("search", true) * 1000) / 1000,
    retrainShareOfGemm: Math.round(share("retrain", false) * 1000) / 1000,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** Milliseconds of the best of four runs in a row; one before them is not counted, as it wakes the threads. */
async function bestMilliseconds(work: () => Promise<unknown>): Promise<number> {
  await work();
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    await work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/** Multiply-adds of the matrix products of one row's step, forward and backward, times two. */
function stepFlops(inputDim: number, withGates: boolean): number {
  const [h1, h2] = layers as [number, number];
  const h3 = head.scenarioLayers[0];
  const lora = h2 * scenarios * head.rank + (scenarios * head.rank + scenarios) * h3;
  const taskMaps = 3 * h3 * (1 + tasks);
  const model = inputDim * h1 + h1 * h2 + h2 * h3 + lora + taskMaps;
  const gate = inputDim * h1 + h1 * h2 + h2 * 4 * tasks;
  // Forward, gradient of the input, gradient of the kernel; no gradient goes from the gates to the embeddings.
  return 2 * (3 * model + (withGates ? 3 * gate - inputDim * h1 : 0));
}

/** One step on random rows: `() => learner.step`, with skewed ids as in logs. */
function randomLearner(
  engine: Engine,
  model: Model,
  ids: number,
  seed: number,
  search: boolean,
): () => Promise<number> {
  const { embeddingDim } = model.sizes;
  const { learningRate, l2, averagingDecay, search: parameters } = defaultHyperParameters("RECOMMENDED");
  const table = { embedding: param([ids, embeddingDim], glorotUniform(ids, embeddingDim)) };
  const learner = new Learner({
    engine,
    model,
    arrays: initialise({ ...table, ...model.weights, ...(search ? model.gates : {}) }, seed),
    loss: search ? searchLoss(model, [parameters.gateRegulariser, parameters.gateRegulariser]) : retrainLoss(model),
    weights: { learningRate, l2 },
    gates: search ? { learningRate: parameters.gateLearningRate, l2: 0 } : undefined,
    averagingDecay: search ? 0 : averagingDecay,
    batchSize,
    seed,
  });
  const source = randomRows(model, ids, seed);
  const order = rowOrder({ rows: source.rows, seed, epoch: 0, shuffle: true });
  const random = createRandom(seed, "gates");
  learner.batch.gates.forEach((_, i) => (learner.batch.gates[i] = random.bits() & 1));
  let step = 0;
  return () => {
    const start = (step++ * batchSize) % source.rows;
    fillBatch({ source, order, start, end: start + batchSize, into: learner.batch });
    return learner.step(batchSize);
  };
}

/** Eight batches of rows with skewed ids as in logs. */
function randomRows(model: Model, ids: number, seed: number): SplitRows {
  const { fields } = model.sizes;
  const rows = 8 * batchSize;
  const random = createRandom(seed, "bench");
  const perField = Math.floor(ids / fields);
  const draw = (_: number, i: number): number => (i % fields) * perField + Math.floor(perField * random.uniform() ** 2);
  return {
    rows,
    ids: new Int32Array(rows * fields).map(draw),
    scenario: new Int32Array(rows).map(() => random.bits() % scenarios),
    labels: new Float32Array(rows * tasks).map(() => Number(random.uniform() < 0.3)),
  };
}

/** The best rate a graph can have here: two large square products, about as long as a step, so that noise hits alike. */
async function matrixProduct(engine: Engine): Promise<{ run: () => Promise<unknown>; flops: number }> {
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
