/**
 * `npm run bench -- selection`: does the search find the flows that harm? On data in which they are known (harmfulFlows.ts),
 * with the RECOMMENDED preset. Then, on the test rows of the cells that have a harmful flow: the searched weights without what
 * is removed against the same with it, and the pruned and retrained model against a retrain with nothing removed.
 */
import { createEngine, defaultEngine } from "../src/engine/engines.ts";
import type { Checkpoint } from "../src/model/checkpoint.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { type Change, changesFrom } from "../src/metrics/pairedChange.ts";
import { completeHyperParameters } from "../src/services/run/completeHyperParameters.ts";
import { completeHead, headInput } from "../src/services/run/headInput.ts";
import { createScorer } from "../src/serving/predictor.ts";
import { runTraining } from "../src/training/runTraining.ts";
import { harmfulFlows, type HarmfulFlows } from "./harmfulFlows.ts";
import { mean, type Options } from "./options.ts";

export const summary =
  "share of known harmful flows that RECOMMENDED finds (--seeds, --scenarios, --tasks, --harmful, --rows, --held, --epochs, --retrain)";

const preset = "RECOMMENDED";

export async function run(options: Options): Promise<Record<string, unknown>> {
  const seeds = options.numbers("seeds", [1, 2, 3, 4, 5]);
  const given = {
    scenarios: options.number("scenarios", 4),
    tasks: options.number("tasks", 4),
    harmful: options.number("harmful", 10),
    trainRows: options.number("rows", 60_000),
    heldRows: options.number("held", 20_000),
  };
  const bySeed: Outcome[] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const outcome = await outcomeOf(harmfulFlows({ ...given, seed }), seed, options);
    bySeed.push(outcome);
    const { found, removed, falseRemovals } = outcome;
    console.error(
      `seed ${seed}: found ${found} of ${given.harmful}, removed ${removed}, ${falseRemovals} of them falsely; ` +
        `AUC of affected cells: left out ${shown(outcome.gains)}; retrained ${shown(outcome.retrainedGains)}; ` +
        `${Math.round((performance.now() - begun) / 1000)} s`,
    );
  }
  const total = (of: (outcome: Outcome) => number): number => bySeed.reduce((sum, outcome) => sum + of(outcome), 0);
  const useful = seeds.length * (given.scenarios * given.tasks * 4 - given.harmful);
  return {
    found: total(({ found }) => found) / (seeds.length * given.harmful),
    falseRemovals:
      total(({ falseRemovals }) => falseRemovals) /
      Math.max(
        1,
        total(({ removed }) => removed),
      ),
    falseRemovalsOfUseful: total(({ falseRemovals }) => falseRemovals) / useful,
    leftOutAgainstLeftIn: totals(bySeed.flatMap(({ gains }) => gains)),
    retrainedAgainstRetrainedWithAll: totals(bySeed.flatMap(({ retrainedGains }) => retrainedGains)),
    foundBySeed: bySeed.map(({ found }) => found / given.harmful),
    falseBySeed: bySeed.map(({ falseRemovals, removed }) => falseRemovals / Math.max(1, removed)),
  };
}

function totals(gains: readonly Change[]) {
  return {
    cells: gains.length,
    meanAucGain: mean(gains.map(({ value }) => value ?? 0)),
    betterBeyondNoise: gains.filter(({ low }) => low !== null && low > 0).length,
    worseBeyondNoise: gains.filter(({ high }) => high !== null && high < 0).length,
  };
}

function shown(gains: readonly Change[]): string {
  const { cells, meanAucGain, betterBeyondNoise, worseBeyondNoise } = totals(gains);
  return `${meanAucGain.toFixed(4)} (beyond noise ${betterBeyondNoise} of ${cells} better, ${worseBeyondNoise} worse)`;
}

interface Outcome {
  readonly found: number;
  readonly removed: number;
  readonly falseRemovals: number;
  /** Change of the test AUC of every cell with a harmful flow: the searched weights without what is removed, against with it. */
  readonly gains: readonly Change[];
  /** The same of the pruned and retrained model, against a retrain with nothing removed. */
  readonly retrainedGains: readonly Change[];
}

async function outcomeOf({ shape, rows, harmful }: HarmfulFlows, seed: number, options: Options): Promise<Outcome> {
  const { plugins } = await loadPlugins(new URL("../plugins", import.meta.url));
  const plugin = backbonePlugin(plugins, "shared-bottom");
  const head = completeHead(
    headInput.parse({ kind: "AUTOIFS", scenarioLayers: [64], rank: options.number("rank", 4) }),
    preset,
  );
  const hyperParameters = completeHyperParameters(preset, head, {
    embeddingDim: 8,
    batchSize: 512,
    maxEpochs: options.number("retrain", 20),
    // These data do not overfit, so the retrain goes on from the end.
    search: { epochs: options.number("epochs", 24), rewindEpoch: options.number("epochs", 24) - 1 },
  });
  const spec = {
    model: { backbone: { name: plugin.name, config: plugin.config.parse({ layers: [128, 64] }) }, head },
    hyperParameters,
    seed,
    engine: defaultEngine,
  };
  const none = (): undefined => undefined;
  const hooks = {
    progress: none,
    metrics: none,
    flows: none,
    gates: none,
    balance: none,
    statistics: none,
    effects: none,
    verified: none,
  };
  const parts = { plugin, engine: await createEngine(defaultEngine), shape, rows, hooks };

  const search = await runTraining({ ...parts, spec: { ...spec, kind: "SEARCH" } });
  const prune = { granularity: "CELL", threshold: 0.5 } as const;
  const retrained = (parent: Checkpoint) => runTraining({ ...parts, parent, spec: { ...spec, kind: "PRUNE", prune } });
  const pruned = await retrained(search.checkpoint);
  const scorer = await createScorer(parts.engine, plugin, search.checkpoint);
  const asSearched = async (removed: readonly number[]): Promise<Float32Array> =>
    (await scorer.predict(search.checkpoint.arrays, rows.test, { kind: "FIXED", removed })).probabilities;
  const kept = await retrained(withAllFlowsKept(search.checkpoint));
  const { gateRule } = pruned.checkpoint;
  const removed = gateRule?.kind === "FIXED" ? gateRule.removed : [];
  const count = (is: (removes: number, harms: number) => boolean): number =>
    removed.filter((removes, i) => is(removes, harmful[i]!)).length;
  const T = shape.tasks.length;
  const affected = [...Array(shape.scenarios.length * T).keys()].filter((cell) =>
    harmful.subarray(cell * 4, cell * 4 + 4).includes(1),
  );
  const leftOut = await asSearched(removed);
  const leftIn = await asSearched(removed.map(() => 0));
  await scorer.release();
  const gainsOf = (before: Float32Array, after: Float32Array): Change[] =>
    affected.map((cell) => {
      const own = [...rows.test.scenario.keys()].filter((row) => rows.test.scenario[row] === Math.floor(cell / T));
      const column = (values: Float32Array): Float32Array =>
        Float32Array.from(own, (row) => values[row * T + (cell % T)]!);
      return changesFrom(column(before), column(rows.test.labels))(column(after)).auc;
    });
  return {
    found: count((removes, harms) => removes === 1 && harms === 1),
    removed: count((removes) => removes === 1),
    falseRemovals: count((removes, harms) => removes === 1 && harms === 0),
    retrainedGains: gainsOf(kept.predictions, pruned.predictions),
    gains: gainsOf(leftIn, leftOut),
  };
}

function withAllFlowsKept(searched: Checkpoint): Checkpoint {
  const gates = searched.arrays["gate/cells"]!;
  return {
    ...searched,
    arrays: { ...searched.arrays, "gate/cells": { ...gates, values: gates.values.map(() => -1) } },
  };
}
