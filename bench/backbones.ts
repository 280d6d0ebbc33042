/**
 * `npm run bench -- backbones`: what a training step of every plugin reaches of the same machine's best matrix product, at
 * equal FLOPs: each with widths for which its step costs as much as that of the paper's backbone. Steps and products take
 * turns; the share is taken within a round, the figures are medians over rounds.
 */
import { createCompiledEngine } from "../src/engine/compiledEngine.ts";
import { buildModel, type Model } from "../src/model/model.ts";
import type { HeadSpec } from "../src/model/spec.ts";
import type { BackbonePlugin } from "../src/plugin/contract.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { defaultHyperParameters } from "../src/training/hyperParameters.ts";
import { towersLoss } from "../src/training/lossFunctions.ts";
import { configOfSize } from "./equalSize.ts";
import { median, type Options } from "./options.ts";
import { bestMilliseconds, matrixProduct, randomLearner, stepFlops } from "./trainingStep.ts";

export const summary = "share of the GEMM rate of every backbone's training step, at equal FLOPs (--only, --rounds)";

const sizes = { fields: 8, embeddingDim: 16, scenarios: 3, tasks: 2 };
const head: HeadSpec = { kind: "TOWERS", layers: [256] };
/** The paper's. */
const layers = [1024, 512];

export async function run(options: Options): Promise<Record<string, unknown>> {
  const rounds = options.number("rounds", 5);
  const batchSize = options.number("batch", 4096);
  const ids = options.number("ids", 10_000);
  const seed = options.number("seed", 1);
  const { plugins } = await loadPlugins(new URL("../plugins", import.meta.url));
  const only = options.text("only", [...plugins.keys()].join(",")).split(",");
  const modelOf = (plugin: BackbonePlugin, config: unknown): Model =>
    buildModel({ backbone: { name: plugin.name, config }, head }, plugin, sizes);
  // What a step costs is linear in the rows, so that few are enough to find the widths.
  const costOf = (plugin: BackbonePlugin, config: unknown): number => {
    const model = modelOf(plugin, config);
    return (stepFlops(model, towersLoss(model), 64) / 64) * batchSize;
  };
  const trunk = backbonePlugin(plugins, "shared-bottom");
  const flops = costOf(trunk, trunk.config.parse({ layers }));

  const engine = createCompiledEngine();
  const gemm = await matrixProduct(engine);
  const { learningRate, l2, averagingDecay } = defaultHyperParameters("RECOMMENDED");
  const results: Record<string, unknown> = {};
  for (const name of only) {
    const plugin = backbonePlugin(plugins, name);
    const config = configOfSize(plugin, { size: flops, sizeOf: (candidate) => costOf(plugin, candidate), unit: 16 });
    const own = costOf(plugin, config);
    const model = modelOf(plugin, config);
    const weights = { learningRate, l2 };
    const loss = towersLoss(model);
    const learner = randomLearner({ engine, model, batchSize, ids, seed, weights, loss, averagingDecay });
    const shares: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const stepMs = await bestMilliseconds(learner.step);
      const gemmMs = await bestMilliseconds(gemm.run);
      shares.push(own / stepMs / (gemm.flops / gemmMs));
      rates.push((batchSize / stepMs) * 1000);
    }
    await learner.release();
    results[name] = {
      shareOfGemm: Math.round(median(shares) * 1000) / 1000,
      samplesPerSecond: Math.round(median(rates)),
      gigaflops: Math.round(own / 1e8) / 10,
      config,
    };
    console.error(`${name}: ${JSON.stringify(results[name])}`);
  }
  return {
    lowestShare: Math.min(...Object.values(results).map((of) => (of as { shareOfGemm: number }).shareOfGemm)),
    ...results,
  };
}
