/**
 * What an experiment does next: a pure function of where its trials stand. Runs are queued a few at a time, so that an
 * experiment leaves room in the queue for others; a trial that has failed does not keep the others from going on.
 */
import type { RunStanding, TrialMove, TrialStanding } from "../../store/experiments.ts";
import { ashaDecision } from "./ashaDecision.ts";
import type { AshaTrial } from "./ashaDecision.ts";
import { trialPlace } from "./experimentSpec.ts";
import type { ExperimentSpec, Rungs } from "./experimentSpec.ts";
import { groupedBy } from "../groupedBy.ts";

/** Runs of one experiment that wait in the queue at most; those that are being trained do not count. */
export const mostQueued = 8;

/** Scores of a run by the objective. */
export interface RunScores {
  /** After each epoch at which there is a rung and that was measured. */
  readonly byEpoch: ReadonlyMap<number, number | null>;
  /** Of the finished model; undefined before. */
  readonly final?: number | null;
}

export interface Situation {
  readonly spec: ExperimentSpec;
  /** Since the experiment was created. */
  readonly seconds: number;
  /** Runs that were ever made for it. */
  readonly runsMade: number;
  /** By number: those that are RUNNING and the first that wait; of ASHA all. */
  readonly trials: readonly TrialStanding[];
  /** ASHA only, by id: of the first runs of all trials that have begun. */
  readonly scores: ReadonlyMap<string, RunScores>;
}

/** As TrialMove, but with what the new run is made from instead of the run. */
export type Step =
  | { readonly kind: "BEGIN"; readonly trialId: string }
  | { readonly kind: "PRUNE"; readonly trialId: string; readonly searchId: string }
  | Exclude<TrialMove, { readonly kind: "BEGIN" | "PRUNE" }>;

export interface Steps {
  readonly steps: readonly Step[];
  /** No trial that waits is to be begun any more. */
  readonly stopWaiting: boolean;
}

export function experimentSteps(situation: Situation): Steps {
  const { spec, seconds, runsMade, trials } = situation;
  const isOutOfTime = seconds >= (spec.budget?.seconds ?? Infinity);
  const running = trials.filter(({ state }) => state === "RUNNING");
  let runsLeft = (spec.budget?.runs ?? Infinity) - runsMade;
  const steps: Step[] = [];
  let queued = 0;
  for (const trial of running) {
    const ended = endStep(trial, spec);
    if (ended?.kind === "PRUNE" && !isOutOfTime && runsLeft > 0) {
      steps.push(ended);
      runsLeft--;
      queued++;
    } else if (ended && ended.kind !== "PRUNE") steps.push(ended);
    else if (ended || isOutOfTime) steps.push(stop(trial));
    else if (lastRun(trial).state === "QUEUED") queued++;
  }
  if (isOutOfTime) return { steps, stopWaiting: true };
  const slots = Math.max(mostQueued - queued, 0);
  const waiting = trials.filter(({ state }) => state === "WAITING");
  const mayBegin = waiting.slice(0, Math.max(runsLeft, 0));
  const rungs = spec.sweep?.rungs;
  const next = rungs ? ashaSteps(situation, rungs, mayBegin, slots) : mayBegin.slice(0, slots).map(begin);
  return { steps: [...steps, ...next], stopWaiting: runsLeft - next.filter(isBegin).length <= 0 };
}

/** What follows from the last run of a RUNNING trial having ended; undefined where it has not. */
function endStep(trial: TrialStanding, spec: ExperimentSpec): Step | undefined {
  const { id: trialId } = trial;
  const { id, kind, state } = lastRun(trial);
  switch (state) {
    case "SUCCEEDED":
      return kind === "SEARCH" && spec.configurations[trialPlace(trial, spec).configuration]!.isPruned
        ? { kind: "PRUNE", trialId, searchId: id }
        : { kind: "END", trialId, state: "FINISHED" };
    case "FAILED":
      return { kind: "END", trialId, state: "FAILED" };
    case "CANCELLED":
      return { kind: "STOP", trialId, runId: null };
    case "QUEUED":
    case "RUNNING":
    case "PAUSED":
      return undefined;
    default:
      return state satisfies never;
  }
}

/** The trials of one configuration on one dataset compete with each other. */
function ashaSteps(
  { spec, trials, scores }: Situation,
  rungs: Rungs,
  mayBegin: readonly TrialStanding[],
  slots: number,
): Step[] {
  const fields = groupedBy(trials, (trial) => `${trialPlace(trial, spec).configuration} ${trial.datasetId}`);
  const steps: Step[] = [];
  let left = slots;
  for (const field of fields.values()) {
    const competing = field
      .filter(({ state }) => state !== "FAILED" && state !== "STOPPED")
      .filter((trial) => trial.state !== "WAITING" || mayBegin.includes(trial))
      .flatMap((trial) => ashaTrial(trial, rungs, scores) ?? []);
    const { reductionFactor } = rungs;
    const { promote, begin: begun, stop: stopped } = ashaDecision(competing, { reductionFactor, slots: left });
    const byId = new Map(field.map((trial) => [trial.id, trial]));
    steps.push(
      ...promote.map((id) => promoted(byId.get(id)!, rungs)),
      ...begun.map((id) => begin(byId.get(id)!)),
      ...stopped.map((id) => stop(byId.get(id)!)),
    );
    left -= promote.length + begun.length;
  }
  return steps;
}

/** Undefined for one whose run has failed or was cancelled. */
function ashaTrial(
  { id, state, rung, runs }: TrialStanding,
  { epochs }: Rungs,
  scores: Situation["scores"],
): AshaTrial | undefined {
  const run = runs[0];
  if (run === undefined) return { id, state: "WAITING", scores: [] };
  if (run.state === "FAILED" || run.state === "CANCELLED") return undefined;
  const { byEpoch, final } = scores.get(run.id) ?? { byEpoch: new Map<number, number | null>() };
  const scoreAt = (at: number): number | null => byEpoch.get(epochs[at]!) ?? final ?? null;
  const hasEnded = state === "FINISHED" || run.state === "SUCCEEDED";
  // A run may also have been paused by hand.
  const isHeld = run.state === "PAUSED" && byEpoch.has(epochs[rung]!);
  const reached = hasEnded || isHeld ? rung + 1 : rung;
  return {
    id,
    state: hasEnded ? "ENDED" : isHeld ? "HELD" : "BUSY",
    scores: Array.from({ length: reached }, (_, at) => scoreAt(at)),
  };
}

function promoted({ id: trialId, rung, runs }: TrialStanding, { epochs }: Rungs): Step {
  const next = rung + 1;
  const pauseAtEpoch = next < epochs.length - 1 ? epochs[next]! : null;
  return { kind: "PROMOTE", trialId, runId: runs[0]!.id, rung: next, pauseAtEpoch };
}

function begin({ id: trialId }: TrialStanding): Step {
  return { kind: "BEGIN", trialId };
}

function isBegin({ kind }: Step): boolean {
  return kind === "BEGIN";
}

function stop(trial: TrialStanding): Step {
  const { id, state } = lastRun(trial);
  const isOpen = state === "QUEUED" || state === "RUNNING" || state === "PAUSED";
  return { kind: "STOP", trialId: trial.id, runId: isOpen ? id : null };
}

/** Of a trial that has begun. */
function lastRun({ runs }: TrialStanding): RunStanding {
  return runs.at(-1)!;
}
