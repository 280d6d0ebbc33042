/**
 * `npm run bench -- noise`: how often a comparison takes chance for a difference, and how often it sees one that is there.
 * Trainings that differ in the seed alone are compared in disjoint pairs; then trainings on 30 % of the training rows are
 * held against full ones. They are kept in a store of their own and compared by the product's `compareRuns`.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readSplit } from "../src/data/arrowFiles.ts";
import { hashSource } from "../src/data/contentHash.ts";
import { rowsWhere } from "../src/data/rowsWhere.ts";
import type { DatasetShape, SplitRows } from "../src/data/spec.ts";
import { createEngine, defaultEngine } from "../src/engine/engines.ts";
import { encodeCheckpoint } from "../src/model/checkpoint.ts";
import { backbonePlugin, loadPlugins } from "../src/plugin/registry.ts";
import { createRandom } from "../src/random.ts";
import { compareRuns } from "../src/services/comparison/compareRuns.ts";
import { createComparer } from "../src/services/comparison/comparer.ts";
import { completeHyperParameters } from "../src/services/run/completeHyperParameters.ts";
import { completeHead, headInput } from "../src/services/run/headInput.ts";
import { importDataset } from "../src/services/dataset/importDataset.ts";
import { manifestOf } from "../src/services/stored.ts";
import { openStore } from "../src/store/store.ts";
import type { Store } from "../src/store/store.ts";
import { meanAuc } from "../src/training/evaluate.ts";
import type { CellMetric } from "../src/training/events.ts";
import { runTraining, type TrainingInput } from "../src/training/runTraining.ts";
import { mean, type Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";
import { datasetSpec, writeSynth } from "./synth.ts";

export const summary = "verdicts on trainings that differ in the seed alone, and on 30 % of the rows (--pairs, --seed)";

const backbone = { name: "shared-bottom", config: { layers: [128, 64] } };
const head = completeHead(headInput.parse({ kind: "TOWERS", layers: [32] }), "RECOMMENDED");
const numbers = completeHyperParameters("RECOMMENDED", head, { batchSize: 1024 });
const share = 0.3;

type Verdicts = readonly (string | null)[];

export async function run(options: Options): Promise<Record<string, unknown>> {
  const pairs = options.number("pairs", 20);
  const seed = options.number("seed", 1);
  const fewer = Math.min(pairs, 5);
  return inTemporaryFolder(async (folder) => {
    const store = await openStore({
      databaseFile: join(folder, "autoifs.db"),
      artifactsFolder: join(folder, "artifacts"),
    });
    try {
      const { dataset, rows, shape } = await importedSynth(options, store, folder);
      const train = await trainer(store, dataset, shape);
      const full: string[] = [];
      for (let i = 0; i < 2 * pairs; i++) full.push(await train("full", seed + i, rows));
      const part: string[] = [];
      for (let i = 0; i < fewer; i++) {
        const random = createRandom(seed + i, "part");
        const train30 = rowsWhere(rows.train, () => random.uniform() < share);
        part.push(await train("30 %", seed + i, { ...rows, train: train30 }));
      }

      const comparer = createComparer();
      const verdicts = async (baseline: readonly string[], candidate: readonly string[]): Promise<Verdicts> => {
        const { cells } = await compareRuns({ store }, comparer, { baseline, candidate, split: "test" });
        return cells.map(({ auc }) => auc.verdict);
      };
      const same: Verdicts[] = [];
      for (let i = 0; i < pairs; i++) same.push(await verdicts([full[2 * i]!], [full[2 * i + 1]!]));
      const oneByOne: Verdicts[] = [];
      for (let i = 0; i < fewer; i++) oneByOne.push(await verdicts([full[i]!], [part[i]!]));
      const threeByThree = fewer < 3 ? [] : [await verdicts(full.slice(0, 3), part.slice(0, 3))];
      return {
        withinNoiseShare: shareOf("WITHIN_NOISE", same),
        betterShare: shareOf("BETTER", same),
        worseShare: shareOf("WORSE", oneByOne),
        worseShareOfThree: threeByThree.length === 0 ? null : shareOf("WORSE", threeByThree),
        fullAuc: await meanAucOf(store, full),
        partAuc: await meanAucOf(store, part),
      };
    } finally {
      await store.close();
    }
  });
}

type Rows = TrainingInput["rows"];

async function importedSynth(options: Options, store: Store, folder: string) {
  for (const { scenario: key } of datasetSpec.scenario.values)
    await store.scenarios.create({ key, name: key, description: "" });
  for (const { task: key } of datasetSpec.labels) await store.tasks.create({ key, name: key, description: "" });
  const filesFolder = join(folder, "files");
  await mkdir(filesFolder);
  await writeSynth(options, filesFolder);
  const file = "synth.csv.gz";
  const contentHash = await hashSource(join(filesFolder, file), datasetSpec);
  const { dataset } = await store.datasets.create({ name: "synth", sourceFile: file, spec: datasetSpec, contentHash });
  await importDataset({ store, filesFolder, scratchFolder: join(folder, "scratch") }, await nextJob(store));
  const { shape, files } = manifestOf(await store.datasets.get(dataset.id))!;
  const read = (name: "train" | "validation" | "test"): Promise<SplitRows> =>
    readSplit(store.artifacts.path(files[`${name}.arrow`].sha256));
  const rows: Rows = { train: await read("train"), validation: await read("validation"), test: await read("test") };
  return { dataset: dataset.id, shape, rows };
}

async function nextJob(store: Store) {
  const job = await store.jobs.claim({ owner: "bench", leaseMs: 86_400_000 });
  if (!job) throw new Error("noise: expected a job in the queue, but there is none");
  return job;
}

/** Trains and keeps what a worker would keep; answers the id of the run. */
async function trainer(store: Store, datasetId: string, shape: DatasetShape) {
  const { plugins } = await loadPlugins(new URL("../plugins", import.meta.url));
  const plugin = backbonePlugin(plugins, backbone.name);
  const engine = await createEngine(defaultEngine);
  const config = plugin.config.parse(backbone.config);
  return async (configuration: string, seed: number, rows: Rows): Promise<string> => {
    const begun = performance.now();
    const { id } = await store.runs.create({
      kind: "TRAIN",
      datasetId,
      backboneName: plugin.name,
      backboneConfig: config,
      head,
      hyperParameters: numbers,
      seed,
      engine: defaultEngine,
      configurationHash: configuration,
    });
    const job = await nextJob(store);
    let final: readonly CellMetric[] = [];
    const { checkpoint, predictions } = await runTraining({
      spec: {
        kind: "TRAIN",
        model: { backbone: { name: plugin.name, config }, head },
        hyperParameters: numbers,
        seed,
        engine: defaultEngine,
      },
      plugin,
      engine,
      shape,
      rows,
      hooks: {
        progress: () => undefined,
        flows: () => undefined,
        gates: () => undefined,
        effects: () => undefined,
        balance: () => undefined,
        statistics: () => undefined,
        verified: () => undefined,
        metrics: ({ metrics }) => void (final = metrics),
      },
    });
    const points = final.map(({ scenario, task, ...point }) => ({ ...point, scenarioKey: scenario, taskKey: task }));
    await store.metrics.record(job, null, points);
    const { hash: checkpointHash } = await store.artifacts.put(encodeCheckpoint(checkpoint), "checkpoint");
    const bytes = new Uint8Array(predictions.buffer, predictions.byteOffset, predictions.byteLength);
    const { hash: predictionsHash } = await store.artifacts.put(bytes, "predictions");
    await store.runs.succeed(job, { checkpointHash, predictionsHash, stopReason: "COMPLETED", timings: {} });
    const auc = meanAuc(final.filter(({ split }) => split === "test")) ?? NaN;
    console.error(
      `${configuration}, seed ${seed}: ${auc.toFixed(4)} in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
    );
    return id;
  };
}

function shareOf(verdict: string, comparisons: readonly Verdicts[]): number {
  return mean(comparisons.flat().map((each) => Number(each === verdict)));
}

async function meanAucOf({ metrics }: Store, runs: readonly string[]): Promise<number> {
  const points = await metrics.finalByRunIds(runs, { split: "test", names: ["auc"] });
  return mean(points.flatMap(({ value }) => value ?? []));
}
