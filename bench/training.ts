/**
 * `npm run bench -- training`: samples/s of the search and the retrain step at the paper's size, everything included,
 * and the share they reach of the same machine's best matrix product through the same library in the same run.
 */
import sharedBottom from "../plugins/shared-bottom/index.ts";
import { createCompiledEngine } from "../src/engine/compiledEngine.ts";
import { buildModel } from "../src/model/model.ts";
import { defaultHyperParameters } from "../src/training/hyperParameters.ts";
import { retrainLoss, searchLoss } from "../src/training/lossFunctions.ts";
import { median, type Options } from "./options.ts";
import { bestMilliseconds, matrixProduct, randomLearner } from "./trainingStep.ts";

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
  const { learningRate, l2, averagingDecay, search: numbers } = defaultHyperParameters("RECOMMENDED", "ROW");
  const common = { engine, model, batchSize, ids, seed, weights: { learningRate, l2 } };
  const search = randomLearner({
    ...common,
    loss: searchLoss(model, [numbers.gateRegulariser, numbers.gateRegulariser]),
    gates: { learningRate: numbers.gateLearningRate, l2: 0 },
    averagingDecay: 0,
  });
  const retrain = randomLearner({ ...common, loss: retrainLoss(model), averagingDecay });
  const gemm = await matrixProduct(engine);

  // Rounds of a few steps of each: on a noisy machine the share is taken within a round, and the median over rounds.
  const rounds: { search: number; retrain: number; gemm: number }[] = [];
  const until = performance.now() + seconds * 1000;
  while (rounds.length < 3 || performance.now() < until) {
    const searchMs = await bestMilliseconds(search.step);
    const retrainMs = await bestMilliseconds(retrain.step);
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
