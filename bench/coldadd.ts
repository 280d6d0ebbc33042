/**
 * `npm run bench -- coldadd`: each scenario in turn is held out, a model is trained on the others, and the scenario is
 * added to it; beside it a separate model of the scenario alone, in both forms: towers, and AutoIFS with one scenario.
 * On made data and on the demo's real traffic, with the training and import of the product.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import {
  autoIfs as kuairandSettings,
  datasetSpec as kuairandSpec,
  file as kuairandFile,
} from "../examples/kuairand.ts";
import { readSplit } from "../src/data/arrowFiles.ts";
import { importDataset } from "../src/data/importDataset.ts";
import { splits } from "../src/data/spec.ts";
import type { DatasetSpec, Split, SplitRows } from "../src/data/spec.ts";
import type { FieldTransform, TransformJson } from "../src/data/transform.ts";
import { createEngine, defaultEngine } from "../src/engine/engines.ts";
import { componentVariance, delong } from "../src/metrics/delong.ts";
import { ascending } from "../src/metrics/order.ts";
import type { Checkpoint } from "../src/model/checkpoint.ts";
import type { HeadSpec } from "../src/model/spec.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { loadPredictor } from "../src/serving/predictor.ts";
import { completeHyperParameters } from "../src/services/run/completeHyperParameters.ts";
import { completeHead, headInput } from "../src/services/run/headInput.ts";
import type { HyperParameters } from "../src/training/hyperParameters.ts";
import type { RunKind } from "../src/training/runSpec.ts";
import { runTraining } from "../src/training/runTraining.ts";
import { mean, type Options } from "./options.ts";
import { type AutoIfsSettings, type Dataset, inTemporaryFolder } from "./searchAndPrune.ts";
import { datasetSpec as synthSpec, recommended as synthSettings, writeSynth } from "./synth.ts";

export const summary =
  "a scenario added to a finished model beside a separate model of it (--seeds, --data synth,kuairand, --held <index>)";

interface Source {
  readonly file: string;
  readonly spec: DatasetSpec;
  readonly settings: AutoIfsSettings;
  /** Scenarios held out, one at a time. */
  readonly held: readonly number[];
}

interface Encoded extends Dataset {
  readonly fields: readonly FieldTransform[];
}

export async function run(options: Options): Promise<Record<string, unknown>> {
  const seeds = options.numbers("seeds", [1, 2, 3]);
  const names = options.text("data", "synth,kuairand").split(",");
  const results = await inTemporaryFolder(async (folder) => {
    const sources: Record<string, Source> = {
      synth: {
        file: await writeSynth(options, folder),
        spec: synthSpec,
        settings: synthSettings,
        held: options.numbers("held", [0, 1, 2]),
      },
      kuairand: {
        file: options.text("file", fileURLToPath(kuairandFile)),
        spec: kuairandSpec,
        settings: kuairandSettings as unknown as AutoIfsSettings,
        held: options.numbers("held", [0, 1, 2]),
      },
    };
    const all: Row[] = [];
    for (const name of names)
      for (const held of sources[name]!.held) all.push(...(await addedTo(name, sources[name]!, held, seeds, options)));
    return all;
  });
  return {
    smallestMeanDifference: Math.min(...meansByScenario(results)),
    oldCellsSame: results.every((row) => row.oldCellsSame),
    results,
  };
}

interface Row {
  readonly data: string;
  readonly held: string;
  readonly seed: number;
  readonly extendedAuc: number;
  readonly separateAuc: number;
  readonly separate: "TOWERS" | "AUTOIFS";
  /** Extended − separate, mean over the tasks, with its interval at 95 % (`comparison`). */
  readonly difference: number;
  readonly interval: readonly [number, number];
  readonly oldCellsSame: boolean;
}

function meansByScenario(rows: readonly Row[]): number[] {
  const nameOf = ({ data, held }: Row): string => `${data}/${held}`;
  const names = [...new Set(rows.map(nameOf))];
  return names.map((name) => mean(rows.filter((row) => nameOf(row) === name).map(({ difference }) => difference)));
}

async function addedTo(
  data: string,
  { file, spec, settings }: Source,
  heldIndex: number,
  seeds: readonly number[],
  options: Options,
): Promise<Row[]> {
  const values = spec.scenario.values;
  const held = values[heldIndex]!;
  const others = values.filter((value) => value !== held);
  const withValues = (kept: typeof values): DatasetSpec => ({ ...spec, scenario: { ...spec.scenario, values: kept } });
  const [base, added, alone] = await inTemporaryFolder(async (folder) => {
    const rest = await onlyRows(file, join(folder, "rest.csv"), spec, (value) => value !== held.value);
    const own = await onlyRows(file, join(folder, "own.csv"), spec, (value) => value === held.value);
    const first = await encoded(join(folder, "1"), rest, withValues(others));
    return [
      first,
      await encoded(join(folder, "2"), own, withValues([...others, held]), first.fields),
      await encoded(join(folder, "3"), own, withValues([held])),
    ] as const;
  });
  const trainer = await createTrainer(settings);
  const results: Row[] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const searched = await trainer.train("SEARCH", base, trainer.head, seed);
    const pruned = await trainer.train("PRUNE", base, trainer.head, seed, searched.checkpoint);
    const between = performance.now();
    const extended = await trainer.train(
      "EXTEND",
      added,
      trainer.head,
      seed,
      pruned.checkpoint,
      extensionNumbers(options),
    );
    const seconds = (performance.now() - between) / 1000;
    const towers = await trainer.train(
      "TRAIN",
      alone,
      { kind: "TOWERS", layers: [...trainer.head.scenarioLayers] },
      seed,
    );
    const ownSearch = await trainer.train("SEARCH", alone, trainer.head, seed);
    const ownPruned = await trainer.train("PRUNE", alone, trainer.head, seed, ownSearch.checkpoint);
    const labels = added.rows.test.labels;
    const against = (predictions: Float32Array) =>
      comparison(labels, predictions, extended.predictions, spec.labels.length);
    const [ofTowers, ofAutoIfs] = [against(towers.predictions), against(ownPruned.predictions)];
    const isTowers = ofTowers.baseline > ofAutoIfs.baseline;
    const better = isTowers ? ofTowers : ofAutoIfs;
    const row: Row = {
      data,
      held: held.scenario,
      seed,
      extendedAuc: better.candidate,
      separateAuc: better.baseline,
      separate: isTowers ? "TOWERS" : "AUTOIFS",
      difference: better.difference,
      interval: better.interval,
      oldCellsSame: await trainer.sameCells(base.rows.test, pruned.checkpoint, extended.checkpoint),
    };
    results.push(row);
    const f = (x: number): string => x.toFixed(4);
    console.error(
      `${data}, ${held.scenario}, seed ${seed}: extended ${f(row.extendedAuc)}, separate ${f(row.separateAuc)} (towers ${f(ofTowers.baseline)}, ` +
        `AutoIFS ${f(ofAutoIfs.baseline)}), difference ${f(row.difference)} [${row.interval.map(f)}], old cells ${row.oldCellsSame ? "same" : "CHANGED"}, ` +
        `extension ${seconds.toFixed(1)} s of ${Math.round((performance.now() - begun) / 1000)} s`,
    );
  }
  return results;
}

/** For trials: `--learningRate`, `--l2` and the like replace the numbers of the extension. */
function extensionNumbers(options: Options): Partial<HyperParameters> {
  const names = ["learningRate", "l2", "fieldDropout", "averagingDecay", "patience", "maxEpochs", "batchSize"] as const;
  const given = names.flatMap((name) => {
    const value = options.number(name, NaN);
    return Number.isNaN(value) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

/**
 * Mean AUC over the tasks of one scenario, and the difference with its interval at 95 % (paired DeLong). The tasks share
 * their rows: the interval is as wide as theirs are on average.
 */
function comparison(labels: Float32Array, baseline: Float32Array, candidate: Float32Array, tasks: number) {
  const cells = Array.from({ length: tasks }, (_, m) => {
    const column = (of: Float32Array): Float32Array => of.filter((_, i) => i % tasks === m);
    const own = column(labels);
    const [a, b] = [delong(ascending(column(baseline)), own)!, delong(ascending(column(candidate)), own)!];
    const variance =
      componentVariance(
        b.components.map((value, row) => value - a.components[row]!),
        own,
      ) ?? NaN;
    return { baseline: a.auc, candidate: b.auc, halfWidth: 1.96 * Math.sqrt(variance) };
  });
  const [before, after] = [mean(cells.map((cell) => cell.baseline)), mean(cells.map((cell) => cell.candidate))];
  const [difference, half] = [after - before, mean(cells.map(({ halfWidth }) => halfWidth))];
  return { baseline: before, candidate: after, difference, interval: [difference - half, difference + half] as const };
}

async function createTrainer({ backbone, head, preset = "RECOMMENDED", hyperParameters = {} }: AutoIfsSettings) {
  const { plugins } = await loadPlugins(new URL("../plugins", import.meta.url));
  const plugin = backbonePlugin(plugins, backbone.plugin);
  const engine = await createEngine(defaultEngine);
  const autoIfs = completeHead(headInput.parse(head), preset) as Extract<HeadSpec, { kind: "AUTOIFS" }>;
  const numbers = completeHyperParameters(preset, autoIfs, hyperParameters);
  return {
    head: autoIfs,
    async train(
      kind: RunKind,
      { shape, rows }: Dataset,
      head: HeadSpec,
      seed: number,
      parent?: Checkpoint,
      changed: Partial<HyperParameters> = {},
    ) {
      const model = { backbone: { name: plugin.name, config: plugin.config.parse(backbone.config) }, head };
      const own = { ...numbers, ...changed };
      return runTraining({
        plugin,
        engine,
        shape,
        rows,
        ...(parent ? { parent } : {}),
        hooks: {
          progress: () => undefined,
          metrics: () => undefined,
          flows: () => undefined,
          gates: () => undefined,
          effects: () => undefined,
          balance: () => undefined,
          statistics: () => undefined,
          verified: () => undefined,
        },
        spec: { kind, model, seed, engine: defaultEngine, hyperParameters: own },
      });
    },
    /** True where all arrays and probabilities of the old model are bitwise in the new one. */
    async sameCells(rows: SplitRows, before: Checkpoint, after: Checkpoint): Promise<boolean> {
      const [old, now] = [await loadPredictor(before, plugin), await loadPredictor(after, plugin)];
      const [was, is] = [await old.predict(rows), await now.predict(rows)];
      await old.release();
      await now.release();
      return was.probabilities.every((value, i) => Object.is(value, is.probabilities[i]));
    },
  };
}

async function encoded(
  outFolder: string,
  file: string,
  spec: DatasetSpec,
  vocabulary?: readonly FieldTransform[],
): Promise<Encoded> {
  const { shape } = await importDataset({ file, spec, outFolder, ...(vocabulary ? { vocabulary } : {}) });
  const split = (name: Split): Promise<SplitRows> => readSplit(join(outFolder, `${name}.arrow`));
  const [train, validation, test] = [await split(splits[0]), await split(splits[1]), await split(splits[2])];
  const { fields } = JSON.parse(await readFile(join(outFolder, "transform.json"), "utf8")) as TransformJson;
  return { shape, fields, rows: { train, validation, test } };
}

/** A CSV of the rows whose scenario column holds such a value; no cell of these files is quoted. */
async function onlyRows(
  from: string,
  to: string,
  { scenario }: DatasetSpec,
  holds: (value: string) => boolean,
): Promise<string> {
  const [header, ...rows] = gunzipSync(await readFile(from))
    .toString("utf8")
    .trimEnd()
    .split("\n");
  const at = header!.split(",").indexOf(scenario.column);
  await writeFile(to, [header, ...rows.filter((row) => holds(row.split(",")[at]!)), ""].join("\n"));
  return to;
}
