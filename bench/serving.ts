/**
 * `npm run bench -- serving`: the pruned model at the paper's size, folded, beside the model as it was searched and as the
 * official code serves it after the prune (all flows, two tables, the gate network), both frozen in the same engine. The
 * models take turns within a round, in a random order; the figures are medians over rounds.
 */
import sharedBottom from "../plugins/shared-bottom/index.ts";
import { createCompiledEngine } from "../src/engine/compiledEngine.ts";
import type { Program } from "../src/engine/engine.ts";
import type { Checkpoint, GateRule } from "../src/model/checkpoint.ts";
import { foldModel } from "../src/model/folding/foldModel.ts";
import { initialise } from "../src/model/initialise.ts";
import { buildModel } from "../src/model/model.ts";
import type { AutoIfsHead } from "../src/model/spec.ts";
import type { BackbonePlugin } from "../src/plugin/contract.ts";
import { glorotUniform, param } from "../src/plugin/layers.ts";
import { createRandom } from "../src/random.ts";
import { foldedFunction, type FrozenFunction, searchedFunction } from "../src/serving/frozenModel.ts";
import { staticFigures } from "../src/serving/modelSize.ts";
import { createScorer, type PredictionRows } from "../src/serving/predictor.ts";
import { loadServable } from "../src/serving/servable.ts";
import { median, type Options, percentile } from "./options.ts";

export const summary = "rows/s and size of the folded model beside the searched one, at the paper's size";

const [fields, embeddingDim, scenarios, tasks] = [8, 16, 3, 2];
const layers = [1024, 512];
const head: AutoIfsHead = {
  kind: "AUTOIFS",
  scenarioLayers: [256],
  taskLayers: [],
  rank: 2,
  gates: "ROW",
  gateLayers: layers,
  batchNorm: false,
  dropout: 0,
};
/** 3 of the 24 flows: sh→sh of the first cell, k→m of the fourth, k→sh of the last. */
const removedFlows = [0, 13, 23];

export async function run(options: Options): Promise<Record<string, number>> {
  const rounds = options.number("rounds", 100);
  const batch = options.number("batch", 512);
  const ids = options.number("ids", 10_000);
  const plugin = sharedBottom as BackbonePlugin;
  const { searched, pruned } = madeCheckpoints(plugin, ids);
  const programs = {
    searched: await compiled(searchedFunction(searched, plugin)),
    folded: await compiled(foldedFunction(foldModel(pruned, plugin))),
    oneScenario: await compiled(foldedFunction(foldModel(pruned, plugin, { only: 0 }))),
  };
  const servable = await loadServable(pruned, plugin);
  const { rows: _, ...columns } = madeRows(batch, ids);
  const of512 = madeRows(512, ids);
  const single = madeRows(1, ids);

  const times = { searched: [], folded: [], oneScenario: [], of512: [], single: [] } as Record<string, number[]>;
  const random = createRandom(4, "order of models");
  const speedups = { folded: [] as number[], oneScenario: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const ms: Record<string, number> = {};
    // In an order that changes: threads of the model that ran last may still be busy waiting.
    const order = Object.entries(programs).map(([name, program]) => ({ name, program, at: random.uniform() }));
    for (const { name, program } of order.sort((a, b) => a.at - b.at))
      ms[name] = await best(() => program.run(columns), 3);
    for (const [name, value] of Object.entries(ms)) times[name]!.push(value);
    for (const name of ["folded", "oneScenario"] as const) speedups[name].push(ms["searched"]! / ms[name]!);
    times["of512"]!.push(await best(() => servable.predict(of512), 3));
    for (let i = 0; i < 20; i++) times["single"]!.push(await best(() => servable.predict(single), 1));
  }
  const rate = (name: string, count: number): number => Math.round((count / median(times[name]!)) * 1000);
  const before = staticFigures(searchedFunction(searched, plugin));
  const after = staticFigures(foldedFunction(foldModel(pruned, plugin)));
  const result = {
    searchedRowsPerSecond: rate("searched", batch),
    foldedRowsPerSecond: rate("folded", batch),
    foldedOneScenarioRowsPerSecond: rate("oneScenario", batch),
    speedup: rounded(median(speedups.folded)),
    oneScenarioSpeedup: rounded(median(speedups.oneScenario)),
    searchedFlopsPerRow: before.flopsPerRow,
    foldedFlopsPerRow: after.flopsPerRow,
    parameterShare: rounded(after.parameters / before.parameters), // all, tables included
    parameterShareWithoutTables: rounded(
      (after.parameters - after.tableBytes / 4) / (before.parameters - before.tableBytes / 4),
    ),
    tableBytesShare: rounded(after.tableBytes / before.tableBytes),
    batch1P50Ms: rounded(median(times["single"]!)),
    batch1P99Ms: percentile(times["single"]!, 0.99),
    batch512RowsPerSecond: rate("of512", 512),
    largestDifference: await largestDifference(pruned, plugin, of512),
  };
  for (const program of Object.values(programs)) await program.release();
  await servable.release();
  return result;
}

/**
 * The same weights as a searched model with gates of rows and the paper's flows, and as a pruned one with gates of cells;
 * the tables have `ids` rows.
 */
export function madeCheckpoints(plugin: BackbonePlugin, ids: number): { searched: Checkpoint; pruned: Checkpoint } {
  const model = {
    backbone: { name: "shared-bottom", config: { layers, batchNorm: false, dropout: 0 } },
    head,
  };
  const { weights, gates } = buildModel(model, plugin, { fields, embeddingDim, scenarios, tasks });
  const table = param([ids, embeddingDim], glorotUniform(ids, embeddingDim));
  const { gateEmbedding, ...arrays } = initialise({ embedding: table, gateEmbedding: table, ...weights, ...gates }, 1);
  const random = createRandom(2, "low-rank maps");
  for (const name of ["head/scenario.0.loraB", "head/task.0.loraB"])
    arrays[name]!.values.forEach((_, i, values) => (values[i] = 0.1 * random.normal()));
  const removed = Array.from({ length: scenarios * tasks * 4 }, (_, i) => Number(removedFlows.includes(i)));
  const shape = {
    fields,
    ids,
    unknownIds: [],
    scenarios: ["a", "b", "c"],
    tasks: ["click", "like"],
  };
  const common = { embeddingDim, shape };
  const isGate = (name: string): boolean => name.startsWith("gate/");
  const kept = Object.fromEntries(Object.entries(arrays).filter(([name]) => !isGate(name)));
  const hard: GateRule = { kind: "HARD", threshold: 0 };
  return {
    searched: { ...common, model, gateRule: hard, arrays: { ...arrays, gateEmbedding: gateEmbedding! } },
    pruned: {
      ...common,
      model: { ...model, head: { ...head, gates: "CELL" } },
      gateRule: { kind: "FIXED", removed },
      arrays: kept,
    },
  };
}

/** Of the logits of the folded model from those of the unfolded one. */
async function largestDifference(pruned: Checkpoint, plugin: BackbonePlugin, rows: PredictionRows): Promise<number> {
  const scorer = await createScorer(createCompiledEngine(), plugin, pruned);
  const { partialLogits, gates } = await scorer.predict(pruned.arrays, rows, pruned.gateRule);
  await scorer.release();
  const program = await compiled(foldedFunction(foldModel(pruned, plugin), "logits"));
  const { logits } = await program.run({ ids: rows.ids, scenario: rows.scenario });
  await program.release();
  const differences = Array.from(logits!, (logit, cell) => {
    const removed = [0, 1, 2, 3].map((i) => gates![cell * 4 + i]! * partialLogits![cell * 5 + 1 + i]!);
    return Math.abs(logit - partialLogits![cell * 5]! + removed.reduce((a, b) => a + b));
  });
  return Math.max(...differences);
}

function compiled({ fn, inputs, constants }: FrozenFunction): Promise<Program> {
  return createCompiledEngine().compile(fn, inputs, { constants });
}

function madeRows(rows: number, ids: number): PredictionRows {
  const random = createRandom(3, `${rows} rows`);
  const perField = Math.floor(ids / fields);
  return {
    rows,
    numbers: new Float32Array(0),
    ids: new Int32Array(rows * fields).map((_, i) => (i % fields) * perField + (random.bits() % perField)),
    scenario: new Int32Array(rows).map(() => random.bits() % scenarios),
  };
}

/** Milliseconds of the best of a few runs in a row. */
async function best(work: () => Promise<unknown>, times: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await work();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

const rounded = (x: number): number => Math.round(x * 1000) / 1000;
