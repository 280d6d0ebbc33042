/**
 * What the benchmarks of accuracy share: a file through the real import, then a search and its prune with settings as
 * `trainModel` takes them. No server and no database; the training is the product's.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSplit } from "../src/data/arrowFiles.ts";
import { importDataset } from "../src/data/importDataset.ts";
import type { DatasetShape, DatasetSpec, Split, SplitRows } from "../src/data/spec.ts";
import { createEngine, defaultEngine } from "../src/engine/engines.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { completeHyperParameters, type HyperParametersInput } from "../src/services/run/completeHyperParameters.ts";
import { completeHead, headInput } from "../src/services/run/headInput.ts";
import { meanAuc } from "../src/training/evaluate.ts";
import type { CellMetric, TrainingHooks } from "../src/training/events.ts";
import { type HyperParameters, type Preset, retrainDefaults } from "../src/training/hyperParameters.ts";
import { runTraining } from "../src/training/runTraining.ts";

export interface Dataset {
  readonly shape: DatasetShape;
  readonly rows: Readonly<Record<Split, SplitRows>>;
}

export async function imported(file: string, spec: DatasetSpec): Promise<Dataset> {
  return inTemporaryFolder(async (outFolder) => {
    const { shape } = await importDataset({ file, spec, outFolder });
    const split = (name: Split): Promise<SplitRows> => readSplit(join(outFolder, `${name}.arrow`));
    return {
      shape,
      rows: { train: await split("train"), validation: await split("validation"), test: await split("test") },
    };
  });
}

export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface AutoIfsSettings {
  readonly backbone: { readonly plugin: string; readonly config: unknown };
  readonly head: { readonly kind: "AUTOIFS" } & Readonly<Record<string, unknown>>;
  /** Default RECOMMENDED. */
  readonly preset?: Preset;
  readonly hyperParameters?: HyperParametersInput;
  /** Replaces the search's numbers in the retrain. */
  readonly retrain?: Partial<HyperParameters>;
}

/** Hooks that keep nothing but the metrics told last: of a training that is over those of the finished model. */
export function keptMetrics(): { hooks: TrainingHooks; final: () => readonly CellMetric[] } {
  let final: readonly CellMetric[] = [];
  const ignored = (): void => undefined;
  const hooks: TrainingHooks = {
    progress: ignored,
    metrics: ({ metrics }) => void (final = metrics),
    flows: ignored,
    gates: ignored,
    effects: ignored,
    balance: ignored,
    statistics: ignored,
    verified: ignored,
  };
  return { hooks, final: () => final };
}

/** Mean AUC over the cells of the test split, of the pruned and retrained model, for each seed. */
export async function searchAndPrune(
  title: string,
  { shape, rows }: Dataset,
  { backbone, head, preset = "RECOMMENDED", hyperParameters = {}, retrain = {} }: AutoIfsSettings,
  seeds: readonly number[],
): Promise<number[]> {
  const { plugins } = await loadPlugins(new URL("../plugins", import.meta.url));
  const plugin = backbonePlugin(plugins, backbone.plugin);
  const engine = await createEngine(defaultEngine);
  const model = {
    backbone: { name: plugin.name, config: plugin.config.parse(backbone.config) },
    head: completeHead(headInput.parse(head), preset),
  };
  const numbers = completeHyperParameters(preset, model.head, hyperParameters);

  const { hooks, final } = keptMetrics();
  const aucs: number[] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const common = { model, seed, engine: defaultEngine };
    const parts = { plugin, engine, shape, rows, hooks };
    const search = await runTraining({ ...parts, spec: { ...common, kind: "SEARCH", hyperParameters: numbers } });
    await runTraining({
      ...parts,
      parent: search.checkpoint,
      spec: {
        ...common,
        kind: "PRUNE",
        hyperParameters: { ...numbers, ...retrainDefaults(preset), ...retrain },
      },
    });
    const auc = meanAuc(final().filter(({ split }) => split === "test")) ?? NaN;
    aucs.push(auc);
    console.error(`${title}, seed ${seed}: ${auc.toFixed(4)} in ${Math.round((performance.now() - begun) / 1000)} s`);
  }
  return aucs;
}
