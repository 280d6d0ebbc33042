/** What the JSON columns of experiments and trials mean. They were checked when they were written. */
import type { Experiment, Trial } from "../../store/rows.ts";
import type { HyperParameters, Selection } from "../../training/hyperParameters.ts";
import type { Budget } from "../../training/pacer.ts";
import type { PruneRule } from "../../training/pruneRule.ts";
import type { PlannedModel } from "../run/plannedModel.ts";

export type SweepKind = "GRID" | "RANDOM" | "ASHA";

/** What trials are compared by, on the validation split; higher is better (of logloss it is the negative). */
export type Objective = Pick<Selection, "metric" | "over" | "weights">;

export interface ExperimentBudget {
  /** Since the experiment was created. */
  readonly seconds?: number;
  /** Runs that may be begun. */
  readonly runs?: number;
}

export interface Rungs {
  /** Ascending; the last is what a trial may train at most. */
  readonly epochs: readonly number[];
  readonly reductionFactor: number;
}

export interface SweepSpec {
  readonly kind: SweepKind;
  readonly seed: number;
  /** Points of each configuration. */
  readonly points: number;
  /** ASHA only. */
  readonly rungs: Rungs | null;
}

export interface ExperimentSpec {
  readonly configurations: readonly { readonly name: string; readonly isPruned: boolean }[];
  /** Ids. */
  readonly datasets: readonly string[];
  readonly seeds: readonly number[];
  readonly runBudget: Budget | null;
  readonly budget: ExperimentBudget | null;
  readonly objective: Objective;
  /** Null: every configuration as it is. */
  readonly sweep: SweepSpec | null;
}

/** Values of a sweep by their paths; none without a sweep. */
export type SweepPoint = Readonly<Record<string, unknown>>;

export interface TrialConfiguration {
  /** The configuration's name. */
  readonly name: string;
  readonly values: SweepPoint;
  readonly model: PlannedModel;
  /** The prune that follows the search; null: none does. */
  readonly prune: { readonly rule: PruneRule; readonly hyperParameters: HyperParameters } | null;
}

export const experimentSpecOf = ({ spec }: Experiment): ExperimentSpec => spec as ExperimentSpec;

/** Trials from before there was a choice are pruned by a threshold, row by row. */
export function trialConfigurationOf({ configuration }: Trial): TrialConfiguration {
  const stored = configuration as TrialConfiguration & { readonly prune: { readonly threshold?: number } | null };
  const threshold = stored.prune?.threshold;
  if (!stored.prune || threshold === undefined) return stored;
  return { ...stored, prune: { ...stored.prune, rule: { granularity: "ROW", threshold } } };
}

/** Where a trial stands in the order: configuration by configuration, point by point, dataset by dataset, seed by seed. */
export interface TrialPlace {
  /** Index of its configuration. */
  readonly configuration: number;
  /** Counts from 0 over configurations × points × datasets: trials that share it differ by the seed alone. */
  readonly group: number;
}

export function trialPlace({ number }: Pick<Trial, "number">, spec: ExperimentSpec): TrialPlace {
  const { datasets, seeds, sweep } = spec;
  const group = Math.floor((number - 1) / seeds.length);
  return { configuration: Math.floor(group / datasets.length / (sweep?.points ?? 1)), group };
}
