/**
 * `npm run bench -- selection`: does the search find the flows that harm? On data in which they are known (harmfulFlows.ts),
 * with the RECOMMENDED preset; then the pruned model against the same retrain with nothing removed, on the test rows of the
 * cells that have a harmful flow.
 */
import { createEngine, defaultEngine } from "../src/engine/engines.ts";
import type { Checkpoint } from "../src/model/checkpoint.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { changesFrom } from "../src/metrics/pairedChange.ts";
import { completeHyperParameters } from "../src/services/run/completeHyperParameters.ts";
import { completeHead, headInput } from "../src/services/run/headInput.ts";
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
    trainRows: options.number("rows", 100_000),
    heldRows: options.number("held", 20_000),
  };
  const bySeed: Outcome[] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const outcome = await outcomeOf(harmfulFlows({ ...given, seed }), seed, options);
    bySeed.push(outcome);
    const { found, removed, falseRemovals, gains } = outcome;
    const better = gains.filter(({ low }) => low !== null && low > 0).length;
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.error(
      `seed ${seed}: found ${found} of ${given.harmful}, removed ${removed}, ${falseRemovals} of them falsely; ` +
        `AUC ${mean(gains.map(({ value }) => value ?? 0)).toFixed(4)} higher in ${gains.length} affected cells ` +
        `(${better} beyond noise, ${gains.filter(({ high }) => high !== null && high < 0).length} lower beyond noise), ${seconds} s`,
    );
  }
  const total = (of: (outcome: Outcome) => number): number => bySeed.reduce((sum, outcome) => sum + of(outcome), 0);
  const gains = bySeed.flatMap((outcome) => outcome.gains);
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
    aucGainInAffectedCells: mean(gains.map(({ value }) => value ?? 0)),
    affectedCells: gains.length,
    betterBeyondNoise: gains.filter(({ low }) => low !== null && low > 0).length,
    worseBeyondNoise: gains.filter(({ high }) => high !== null && high < 0).length,
    foundBySeed: bySeed.map(({ found }) => found / given.harmful),
    falseBySeed: bySeed.map(({ falseRemovals, removed }) => falseRemovals / Math.max(1, removed)),
  };
}

interface Outcome {
  readonly found: number;
  readonly removed: number;
  readonly falseRemovals: number;
  /** Test AUC of the pruned model minus that of the one retrained with nothing removed, of every cell with a harmful flow. */
  readonly gains: readonly {
    readonly value: number | null;
    readonly low: number | null;
    readonly high: number | null;
  }[];
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
    search: { epochs: options.number("epochs", 24) },
  });
  const spec = {
    model: { backbone: { name: plugin.name, config: plugin.config.parse({ layers: [128, 64] }) }, head },
    hyperParameters,
    seed,
    engine: defaultEngine,
  };
  const none = (): undefined => undefined;
  const hooks = { progress: none, metrics: none, flows: none, gates: none, effects: none, verified: none };
  const parts = { plugin, engine: await createEngine(defaultEngine), shape, rows, hooks };

  const search = await runTraining({ ...parts, spec: { ...spec, kind: "SEARCH" } });
  const prune = { granularity: "CELL", threshold: 0.5 } as const;
  const retrained = (parent: Checkpoint) => runTraining({ ...parts, parent, spec: { ...spec, kind: "PRUNE", prune } });
  const pruned = await retrained(search.checkpoint);
  const kept = await retrained(withAllFlowsKept(search.checkpoint));
  const { gateRule } = pruned.checkpoint;
  const removed = gateRule?.kind === "FIXED" ? gateRule.removed : [];
  const count = (is: (removes: number, harms: number) => boolean): number =>
    removed.filter((removes, i) => is(removes, harmful[i]!)).length;
  const T = shape.tasks.length;
  const affected = [...Array(shape.scenarios.length * T).keys()].filter((cell) =>
    harmful.subarray(cell * 4, cell * 4 + 4).includes(1),
  );
  return {
    found: count((removes, harms) => removes === 1 && harms === 1),
    removed: count((removes) => removes === 1),
    falseRemovals: count((removes, harms) => removes === 1 && harms === 0),
    gains: affected.map((cell) => {
      const column = (values: Float32Array): Float32Array =>
        Float32Array.from(
          [...rows.test.scenario.keys()].filter((row) => rows.test.scenario[row] === Math.floor(cell / T)),
          (row) => values[row * T + (cell % T)]!,
        );
      return changesFrom(column(kept.predictions), column(rows.test.labels))(column(pruned.predictions)).auc;
    }),
  };
}

function withAllFlowsKept(searched: Checkpoint): Checkpoint {
  const gates = searched.arrays["gate/cells"]!;
  return {
    ...searched,
    arrays: { ...searched.arrays, "gate/cells": { ...gates, values: gates.values.map(() => -1) } },
  };
}
