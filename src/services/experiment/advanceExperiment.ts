/**
 * The work of an experiment's job: looks where its trials stand, does what is due, and gives the job back until nothing
 * is left. It keeps nothing in memory, so any worker may do it next; whatever it wants is written in one transaction.
 */
import type { TrialMove } from "../../store/experiments.ts";
import type { NewRun } from "../../store/queueRun.ts";
import type { ClaimedJob, Experiment, Run, Trial } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Budget } from "../../training/pacer.ts";
import { configurationHash } from "../run/configurationHash.ts";
import { experimentSpecOf, trialConfigurationOf } from "./experimentSpec.ts";
import type { ExperimentSpec, Objective, Rungs } from "./experimentSpec.ts";
import { experimentSteps, mostQueued } from "./experimentSteps.ts";
import type { RunScores, Step } from "./experimentSteps.ts";
import { groupedBy } from "../groupedBy.ts";
import type { Installation } from "../installation.ts";
import { objectiveScore } from "./objective.ts";
import type { PlannedModel } from "../run/plannedModel.ts";
import { plannedPrune } from "../run/plannedPrune.ts";

/** Milliseconds between two looks at least. */
const lookInterval = 1000;
/** What is done in one transaction at most. */
const mostMoves = 100;

/** Throws ConflictError where the job is not this worker's any more, for example because the experiment was cancelled. */
export async function advanceExperiment({ store }: Pick<Installation, "store">, job: ClaimedJob): Promise<void> {
  const begun = Date.now();
  const experiment = await store.experiments.get(job.subjectId);
  const spec = experimentSpecOf(experiment);
  const { steps, stopWaiting } = await stepsOf(store, experiment, spec);
  const now = steps.slice(0, mostMoves);
  const isAll = now.length === steps.length;
  const advance = { moves: await movesOf(store, spec, now), stopWaiting: stopWaiting && isAll };
  // Looks go before trainings; this leaves nine tenths of a worker's time to those.
  const pause = Math.max(lookInterval, 10 * (Date.now() - begun));
  await store.experiments.advance(job, advance, isAll ? pause : 0);
}

async function stepsOf(store: Store, { id, createdAt }: Experiment, spec: ExperimentSpec) {
  const { experiments } = store;
  const rungs = spec.sweep?.rungs;
  const trials = rungs
    ? await experiments.standings(id, ["WAITING", "RUNNING", "FINISHED", "FAILED", "STOPPED"])
    : [
        ...(await experiments.standings(id, ["RUNNING"])),
        ...(await experiments.standings(id, ["WAITING"], mostQueued)),
      ];
  return experimentSteps({
    spec,
    trials,
    seconds: (Date.now() - createdAt.getTime()) / 1000,
    runsMade: spec.budget?.runs === undefined ? 0 : await experiments.runCount(id),
    scores: rungs ? await scoresOf(store, id, spec.objective, rungs) : new Map(),
  });
}

/** Of the first runs of all trials that have begun. */
async function scoresOf(
  { experiments }: Store,
  experimentId: string,
  objective: Objective,
  { epochs }: Rungs,
): Promise<ReadonlyMap<string, RunScores>> {
  const points = await experiments.validationPoints(experimentId, objective.metric, epochs);
  const scores = new Map<string, RunScores>();
  for (const [id, own] of groupedBy(points, ({ runId }) => runId)) {
    const byEpoch = groupedBy(own, ({ epoch }) => epoch);
    const final = byEpoch.get(null);
    byEpoch.delete(null);
    scores.set(id, {
      byEpoch: new Map([...byEpoch].map(([epoch, at]) => [epoch!, objectiveScore(at, objective)])),
      ...(final ? { final: objectiveScore(final, objective) } : {}),
    });
  }
  return scores;
}

async function movesOf(
  { experiments, runs }: Store,
  spec: ExperimentSpec,
  steps: readonly Step[],
): Promise<TrialMove[]> {
  const trialIds = steps.flatMap((step) => (step.kind === "BEGIN" || step.kind === "PRUNE" ? step.trialId : []));
  const searchIds = steps.flatMap((step) => (step.kind === "PRUNE" ? step.searchId : []));
  const trials = new Map((await experiments.trialsByIds(trialIds)).map((trial) => [trial.id, trial]));
  const searches = new Map((await runs.byIds(searchIds)).map((run) => [run.id, run]));
  return steps.map((step) => {
    const { kind, trialId } = step;
    if (kind === "BEGIN") return { kind, trialId, run: firstRun(trials.get(trialId)!, spec) };
    if (kind === "PRUNE") {
      return { kind, trialId, run: pruneRun(searches.get(step.searchId)!, trials.get(trialId)!, spec) };
    }
    return step;
  });
}

function firstRun(trial: Trial, { runBudget, sweep }: ExperimentSpec): NewRun {
  const { model } = trialConfigurationOf(trial);
  const { datasetId, seed } = trial;
  const rungs = sweep?.rungs;
  const budget = { ...runBudget, ...(rungs ? epochsAtMost(rungs, model) : {}) };
  const run = { ...model, datasetId, seed, ...(Object.keys(budget).length > 0 ? { budget } : {}) };
  const pause = rungs ? { pauseAtEpoch: rungs.epochs[0]! } : {};
  return { ...run, ...pause, configurationHash: configurationHash(run) };
}

/** What the hyper-parameters say anyway is no budget: then the run is like any other of its configuration. */
function epochsAtMost({ epochs: rungs }: Rungs, { kind, hyperParameters }: PlannedModel): Budget {
  const epochs = rungs.at(-1)!;
  return epochs < (kind === "SEARCH" ? hyperParameters.search.epochs : hyperParameters.maxEpochs) ? { epochs } : {};
}

function pruneRun(search: Run, trial: Trial, { runBudget }: ExperimentSpec): NewRun {
  const { rule, hyperParameters } = trialConfigurationOf(trial).prune!;
  const { seed, engine } = search;
  return plannedPrune(search, {
    rule,
    hyperParameters,
    seed,
    engine,
    ...(runBudget ? { budget: runBudget } : {}),
  });
}
