/**
 * `npm run bench -- training`: samples/s of the search and the retrain step at the paper's size, everything included,
 * and the share they reach of the same machine's best matrix product through the same library in the same run.
 */
import * as tf from "@tensorflow/tfjs-core";
import sharedBottom from "../plugins/shared-bottom/index.ts";
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

  // Interleaved, so that a noisy machine slows all three alike.
  const times = { search: [] as number[], retrain: [] as number[], gemm: [] as number[] };
  const timed = async (into: number[], work: () => Promise<unknown>): Promise<void> => {
    const started = performance.now();
    await work();
    into.push(performance.now() - started);
  };
  for (const work of [search, retrain, gemm.run]) for (let i = 0; i < 3; i++) await work();
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    await timed(times.search, search);
    await timed(times.retrain, retrain);
    await timed(times.gemm, gemm.run);
  }
  const searchSamplesPerSecond = (batchSize / median(times.search)) * 1000;
  const retrainSamplesPerSecond = (batchSize / median(times.retrain)) * 1000;
  const gemmGflops = gemm.flops / Math.min(...times.gemm) / 1e6;
  const share = (samplesPerSecond: number, withGates: boolean): number =>
    (samplesPerSecond * stepFlops(fields * 16, withGates)) / (gemmGflops * 1e9);
  return {
    searchSamplesPerSecond: Math.round(searchSamplesPerSecond),
    retrainSamplesPerSecond: Math.round(retrainSamplesPerSecond),
    gemmGflops: Math.round(gemmGflops * 10) / 10,
    searchShareOfGemm: Math.round(share(searchSamplesPerSecond, true) * 1000) / 1000,
    retrainShareOfGemm: Math.round(share(retrainSamplesPerSecond, false) * 1000) / 1000,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
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
  const { fields, embeddingDim } = model.sizes;
  const { learningRate, l2, averagingDecay, search: parameters } = defaultHyperParameters("RECOMMENDED");
  const table = { embedding: param([ids, embeddingDim], glorotUniform(ids, embeddingDim)) };
  const learner = new Learner({
    engine,
    model,
    arrays: initialise({ ...table, ...model.weights, ...(search ? model.gates : {}) }, seed),
    loss: search ? searchLoss(model, parameters.gateRegulariser) : retrainLoss(model),
    weights: { learningRate, l2 },
    gates: search ? { learningRate: parameters.gateLearningRate, l2: 0 } : undefined,
    averagingDecay: search ? 0 : averagingDecay,
    batchSize,
    seed,
  });
  const random = createRandom(seed, "bench");
  const perField = Math.floor(ids / fields);
  const { batch } = learner;
  return () => {
    batch.ids.forEach(
      (_, i) => (batch.ids[i] = (i % fields) * perField + Math.floor(perField * random.uniform() ** 2)),
    );
    batch.scenario.forEach((_, i) => (batch.scenario[i] = random.bits() % scenarios));
    batch.labels.forEach((_, i) => (batch.labels[i] = Number(random.uniform() < 0.3)));
    batch.gates.forEach((_, i) => (batch.gates[i] = random.bits() & 1));
    return learner.step(batchSize);
  };
}

/** The best rate a graph can have here: one large square product. */
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
  return { run: () => program.run(inputs, into), flops: 2 * n ** 3 };
}
