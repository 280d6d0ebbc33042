/**
 * `npm run bench -- leaderboard`: every backbone under both heads on made and on real data, with equal budgets: as many
 * parameters, as many passes, as many learning rates tried on the validation split. What is finished is kept in a folder
 * (--keep), so that it can be gone on with, and shared between processes. --write <file> writes the table.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCompiledEngine } from "../src/engine/compiledEngine.ts";
import { defaultEngine } from "../src/engine/engines.ts";
import type { Engine } from "../src/engine/engine.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { meanAuc } from "../src/training/evaluate.ts";
import { cellSearchLoss, towersLoss } from "../src/training/lossFunctions.ts";
import { runTraining, type TrainingResult } from "../src/training/runTraining.ts";
import {
  type Contestant,
  contestant,
  type DataName,
  dataNames,
  type HeadName,
  headNames,
  readData,
} from "./leaderboardModels.ts";
import { type Entry, leaderboardPage, type Place, placesOf } from "./leaderboardTable.ts";
import { mean, median, type Options } from "./options.ts";
import { type Dataset, keptMetrics } from "./searchAndPrune.ts";
import { bestMilliseconds, randomLearner } from "./trainingStep.ts";

export const summary =
  "every backbone × head on made and real data (--seeds, --rates, --parameters, --only, --on, --heads, --threads, --keep, --write)";

export async function run(options: Options): Promise<Record<string, unknown>> {
  const seeds = options.numbers("seeds", [1, 2, 3, 4, 5]);
  const rates = options.numbers("rates", [1e-3, 3e-3]);
  const size = options.number("parameters", 65_536);
  const keep = options.text("keep", "");
  const { plugins } = await loadPlugins(new URL("../plugins", import.meta.url));
  const names = options.text("only", [...plugins.keys()].join(",")).split(",");
  const on = options.text("on", dataNames.join(",")).split(",") as DataName[];
  const heads = options.text("heads", headNames.join(",")).split(",") as HeadName[];
  if (keep !== "") mkdirSync(keep, { recursive: true });
  const engine = createCompiledEngine({ threads: options.number("threads", 2) });

  const places: Record<string, Place[]> = {};
  for (const data of on) {
    const dataset = await readData(data, options);
    const entries: Entry[] = [];
    for (const name of names)
      for (const head of heads) {
        const file = join(keep, `${data}-${name}-${head}.json`);
        const kept = keep !== "" && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Entry) : undefined;
        const order = { data, name, head, size, seeds, rates, plugin: backbonePlugin(plugins, name) };
        const entry = kept ?? (await trained(engine, dataset, order));
        if (keep !== "" && !kept) writeFileSync(file, JSON.stringify(entry));
        entries.push(entry);
      }
    // Speeds are measured in one go, so that all of them meet the same machine.
    const speeds: number[] = [];
    for (const { backbone, head } of entries) {
      const plugin = backbonePlugin(plugins, backbone);
      speeds.push(await samplesPerSecond(engine, contestant({ data, plugin, head, size }, dataset)));
    }
    places[data] = placesOf(entries, speeds, dataset);
  }
  const write = options.text("write", "");
  if (write !== "") writeFileSync(write, leaderboardPage(places, { seeds, rates, size }));
  return places;
}

interface Order {
  readonly data: DataName;
  readonly name: string;
  readonly head: HeadName;
  readonly size: number;
  readonly seeds: readonly number[];
  readonly rates: readonly number[];
  readonly plugin: Contestant["plugin"];
}

/** The rate is chosen with the first seed on the validation split; all seeds are then trained with it. */
async function trained(engine: Engine, dataset: Dataset, order: Order): Promise<Entry> {
  const begun = performance.now();
  const { data, name, head, seeds, rates } = order;
  const one = contestant(order, dataset);
  const tried: { rate: number; outcome: Outcome }[] = [];
  for (const rate of rates) tried.push({ rate, outcome: await outcomeOf(engine, dataset, one, rate, seeds[0]!) });
  const best = tried.reduce((a, b) => (b.outcome.validationAuc > a.outcome.validationAuc ? b : a));
  const outcomes = [best.outcome];
  for (const seed of seeds.slice(1)) outcomes.push(await outcomeOf(engine, dataset, one, best.rate, seed));
  const aucs = outcomes.map(({ testAuc }) => testAuc);
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.error(`${data}, ${name}, ${head}: ${mean(aucs).toFixed(4)} at rate ${best.rate}, ${seconds} s`);
  return {
    backbone: name,
    head,
    config: one.config,
    parameters: one.parameters,
    learningRate: best.rate,
    aucs,
    predictions: outcomes.map(({ predictions }) => Buffer.from(predictions.buffer).toString("base64")),
  };
}

interface Outcome {
  readonly validationAuc: number;
  readonly testAuc: number;
  /** Of the test split [rows · tasks]. */
  readonly predictions: Float32Array;
}

async function outcomeOf(
  engine: Engine,
  { shape, rows }: Dataset,
  one: Contestant,
  learningRate: number,
  seed: number,
): Promise<Outcome> {
  const { hooks, final } = keptMetrics();
  const model = { backbone: { name: one.plugin.name, config: one.config }, head: one.head };
  const hyperParameters = { ...one.hyperParameters, learningRate };
  const spec = { model, seed, engine: defaultEngine, hyperParameters };
  const parts = { plugin: one.plugin, engine, shape, rows, hooks };
  let result: TrainingResult;
  if (one.head.kind === "TOWERS") result = await runTraining({ ...parts, spec: { ...spec, kind: "TRAIN" } });
  else {
    const { checkpoint: parent } = await runTraining({ ...parts, spec: { ...spec, kind: "SEARCH" } });
    result = await runTraining({ ...parts, parent, spec: { ...spec, kind: "PRUNE" } });
  }
  const aucOf = (split: string): number => meanAuc(final().filter((metric) => metric.split === split)) ?? NaN;
  return { validationAuc: aucOf("validation"), testAuc: aucOf("test"), predictions: result.predictions };
}

/** Of a training step; with flows of a step of their search. */
async function samplesPerSecond(engine: Engine, { model, hyperParameters, head }: Contestant): Promise<number> {
  const { batchSize, learningRate, l2 } = hyperParameters;
  const loss = head.kind === "TOWERS" ? towersLoss(model) : cellSearchLoss(model);
  const learner = randomLearner({
    engine,
    model,
    loss,
    batchSize,
    ids: 10_000,
    seed: 1,
    weights: { learningRate, l2 },
    averagingDecay: 0,
  });
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push(await bestMilliseconds(learner.step));
  await learner.release();
  return Math.round((batchSize / median(times)) * 1000);
}
