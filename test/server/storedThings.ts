/** Datasets, runs and experiments written straight into the store of a server: what is of interest is not how they came about. */
import { createHash } from "node:crypto";
import type { Experiment } from "../../src/store/rows.ts";
import type { NewRun } from "../../src/store/queueRun.ts";
import type { Store } from "../../src/store/store.ts";
import { claimed, newRun } from "../store/testStore.ts";

/** Registers a scenario and a task, and a dataset that is READY with a file of `bytes` bytes. Answers the dataset's id. */
export async function storedDataset(store: Store, name: string, bytes = 100): Promise<string> {
  const [scenario, task] = [`${name}_feed`, `${name}_click`];
  await store.scenarios.create({ key: scenario, name: scenario, description: "" });
  await store.tasks.create({ key: task, name: task, description: "" });
  const spec = { scenario: { column: "tab", values: [{ value: "0", scenario }] }, labels: [{ column: "c", task }] };
  await store.datasets.create({ name, sourceFile: `${name}.csv`, spec, contentHash: name });
  const { hash } = await store.artifacts.put(content(name, bytes), "dataset");
  const cell = { split: "train", scenarioKey: scenario, taskKey: task, rows: 100, positives: 20 } as const;
  const dataset = await store.datasets.markReady(await claimed(store), {
    contentHash: name,
    rows: 100,
    manifest: {},
    artifactHashes: [hash],
    counts: [cell],
  });
  return dataset.id;
}

/** A run that has SUCCEEDED with a model of `bytes` bytes, as long predictions and one metric. Answers its id. */
export async function storedRun(
  store: Store,
  dataset: string,
  { model, bytes = 10, ...record }: Partial<NewRun> & { readonly model: string; readonly bytes?: number },
): Promise<string> {
  const run = await store.runs.create({ ...newRun(dataset), ...record });
  await storedEnd(store, model, bytes);
  return run.id;
}

/** Takes the next run from the queue and makes up its end. */
export async function storedEnd(store: Store, model: string, bytes = 10): Promise<void> {
  const lease = await claimed(store);
  const { hash: checkpointHash } = await store.artifacts.put(content(model, bytes), "checkpoint");
  const { hash: predictionsHash } = await store.artifacts.put(content(`predictions of ${model}`, bytes), "predictions");
  const { datasetId } = await store.runs.get(lease.subjectId);
  const [{ scenarioKey, taskKey }] = (await store.datasets.countsByIds([datasetId])) as [never];
  await store.metrics.record(lease, null, [{ split: "test", scenarioKey, taskKey, ...auc }]);
  await store.runs.succeed(lease, { checkpointHash, predictionsHash, stopReason: "COMPLETED", timings: {} });
}

/** An experiment that is FINISHED, with one trial and its run. */
export async function storedExperiment(store: Store, dataset: string, model: string) {
  const spec = { configurations: [], datasets: [dataset], seeds: [1], sweep: null };
  const trials = [{ configuration: {}, datasetId: dataset, seed: 1 }];
  const experiment: Experiment = await store.experiments.create({ name: model, spec, trials });
  const [trial] = await store.experiments.trialsByExperimentIds([experiment.id]);
  const trialId = trial!.id;
  const begin = { kind: "BEGIN", trialId, run: newRun(dataset) } as const;
  await store.experiments.advance(await claimed(store), { moves: [begin], stopWaiting: false }, 0);
  const [run] = await store.runs.byTrialIds([trialId]);
  /** The job of the experiment comes before all others. */
  const lease = await claimed(store);
  await storedEnd(store, model);
  const end = { kind: "END", trialId, state: "FINISHED" } as const;
  return {
    id: experiment.id,
    trial: trialId,
    run: run!.id,
    /** Ends it: until then it is RUNNING. */
    finish: () => store.experiments.advance(lease, { moves: [end], stopWaiting: false }, 0),
  };
}

const auc = { name: "auc", value: 0.7, low: null, high: null, reason: null, groups: null } as const;

function content(text: string, bytes: number): Uint8Array {
  const digest = createHash("sha256").update(text).digest();
  return Uint8Array.from({ length: bytes }, (_, i) => digest[i % digest.length]!);
}
