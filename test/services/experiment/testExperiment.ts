/**
 * Experiments whose worker is the test: it claims jobs and says how trainings end. Time passes when it says so, so a test
 * that uses them has only the date faked (`vi.useFakeTimers({ toFake: ["Date"] })`).
 */
import { expect, vi } from "vitest";
import { advanceExperiment } from "../../../src/services/experiment/advanceExperiment.ts";
import type { ExperimentSpec, TrialConfiguration } from "../../../src/services/experiment/experimentSpec.ts";
import type { ClaimedJob, Run } from "../../../src/store/rows.ts";
import type { Store } from "../../../src/store/store.ts";
import { defaultHyperParameters } from "../../../src/training/hyperParameters.ts";
import { claimed, openTestStore, readyDataset, succeededWith } from "../../store/testStore.ts";

export const hyperParameters = defaultHyperParameters("RECOMMENDED");
export const towers: TrialConfiguration = {
  name: "towers",
  values: {},
  model: {
    kind: "TRAIN",
    backboneName: "mmoe",
    backboneConfig: { experts: 4 },
    head: { kind: "TOWERS", layers: [8] },
    hyperParameters,
    preset: "RECOMMENDED",
    engine: "compiled",
  },
  prune: null,
};
export const flows: TrialConfiguration = {
  ...towers,
  name: "flows",
  model: { ...towers.model, kind: "SEARCH" },
  prune: { rule: { granularity: "ROW", threshold: 0.7 }, hyperParameters: { ...hyperParameters, maxEpochs: 3 } },
};

export interface Experiment {
  readonly store: Store;
  readonly id: string;
}

/** Trials that differ in their seeds, or in the points of a sweep. */
export async function experiment(
  trials: number,
  of: TrialConfiguration,
  spec: Partial<ExperimentSpec> = {},
): Promise<Experiment> {
  const store = await openTestStore();
  const { id: datasetId } = await readyDataset(store);
  const seeds = spec.sweep ? [1] : Array.from({ length: trials }, (_, seed) => seed);
  const { id } = await store.experiments.create({
    name: "test",
    spec: {
      configurations: [{ name: of.name, isPruned: of.prune !== null }],
      datasets: [datasetId],
      runBudget: null,
      budget: null,
      objective: { metric: "auc", over: "MEAN", weights: [] },
      sweep: null,
      seeds,
      ...spec,
    } satisfies ExperimentSpec,
    trials: Array.from({ length: trials }, (_, i) => ({ configuration: of, datasetId, seed: seeds[i] ?? 1 })),
  });
  return { store, id };
}

/** The experiment's job, which is due; a look comes a second after the one before. */
export async function due({ store, id }: Experiment, owner = "worker-1"): Promise<ClaimedJob> {
  vi.setSystemTime(Date.now() + 1000);
  const job = await claimed(store, owner);
  expect(job).toMatchObject({ kind: "ADVANCE_EXPERIMENT", subjectId: id });
  return job;
}

export async function advance(experiment: Experiment): Promise<void> {
  await advanceExperiment(experiment, await due(experiment));
}

export type End = "SUCCEEDED" | "FAILED" | "PAUSED";

/** Takes the next run, and ends it as told. */
export async function train({ store }: Experiment, end: End): Promise<Run> {
  return endRun(store, await claimed(store), end);
}

/** With the AUC of its only cell on the validation split: after the epoch, and of the finished model. */
export async function endRun(store: Store, lease: ClaimedJob, end: End, epoch = 1, auc = 0.5): Promise<Run> {
  const point = { split: "validation" as const, scenarioKey: "home_feed", taskKey: "click", name: "auc", value: auc };
  await store.metrics.record(lease, epoch, [point]);
  if (end === "PAUSED") await store.runs.markPaused(lease, { isAtEpoch: false });
  if (end === "FAILED") await store.jobs.fail(lease, { code: "DIVERGED", message: "loss", detail: {} });
  if (end === "SUCCEEDED") {
    const { hash } = await store.artifacts.put(new Uint8Array([1]), "checkpoint");
    await store.metrics.record(lease, null, [point]);
    await store.runs.succeed(lease, succeededWith(hash));
  }
  return store.runs.get(lease.subjectId);
}

/** How many trials are in each state. */
export async function counts({ store, id }: Experiment): Promise<Record<string, number>> {
  const rows = await store.experiments.countsByExperimentIds([id]);
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

export async function runsOf({ store }: Experiment): Promise<readonly Run[]> {
  return (await store.runs.list({ first: 1000 })).rows.toReversed();
}

export const state = async ({ store, id }: Experiment): Promise<string> => (await store.experiments.get(id)).state;
