/** What came of an experiment: per configuration, point of its sweep and dataset, the metrics over the seeds. */
import type { Experiment, MetricPoint, Run, Trial } from "../../store/rows.ts";
import { experimentSpecOf, trialConfigurationOf, trialPlace } from "./experimentSpec.ts";
import type { SweepPoint } from "./experimentSpec.ts";
import { groupedBy } from "../groupedBy.ts";
import { objectiveScore } from "./objective.ts";

/** Over runs that differ by the seed alone. */
export interface MeanOverSeeds {
  readonly mean: number;
  /** Sample standard deviation (n − 1); null for one run. */
  readonly deviation: number | null;
  readonly runs: number;
}

export interface CellResult {
  readonly scenarioKey: string;
  readonly taskKey: string;
  /** Null where no run has it. */
  readonly auc: MeanOverSeeds | null;
  readonly logloss: MeanOverSeeds | null;
}

export interface ConfigurationResult {
  readonly configuration: string;
  readonly values: SweepPoint;
  readonly datasetId: string;
  readonly trials: number;
  /** Of trials that are FINISHED: the only ones that are measured. */
  readonly runs: number;
  readonly score: MeanOverSeeds | null;
  readonly meanAuc: MeanOverSeeds | null;
  readonly meanLogloss: MeanOverSeeds | null;
  /** By scenario and task, in the order in which they were measured. */
  readonly cells: readonly CellResult[];
}

/** A trial with AUC and logloss of its final run; none where it has none. */
export interface MeasuredTrial {
  readonly trial: Trial;
  readonly validation: readonly MetricPoint[];
  readonly test: readonly MetricPoint[];
}

/** The run whose model is what the trial is for; null until there is one. `runs` are the trial's, oldest first. */
export function finalRun(trial: Trial, runs: readonly Run[]): Run | null {
  return trial.state === "FINISHED" ? runs.at(-1)! : null;
}

/** In the order of the trials; of a sweep the best score first, those without one last. */
export function experimentResults(experiment: Experiment, measured: readonly MeasuredTrial[]): ConfigurationResult[] {
  const spec = experimentSpecOf(experiment);
  const groups = [...groupedBy(measured, ({ trial }) => trialPlace(trial, spec).group).values()];
  const results = groups.map((group): ConfigurationResult => {
    const { trial } = group[0]!;
    const { name: configuration, values } = trialConfigurationOf(trial);
    const finished = group.filter(({ trial: { state } }) => state === "FINISHED");
    return {
      configuration,
      values,
      datasetId: trial.datasetId,
      trials: group.length,
      runs: finished.length,
      score: overSeeds(finished.map(({ validation }) => objectiveScore(validation, spec.objective))),
      meanAuc: overSeeds(finished.map(({ test }) => meanOf(test, "auc"))),
      meanLogloss: overSeeds(finished.map(({ test }) => meanOf(test, "logloss"))),
      cells: cellResults(finished.map(({ test }) => test)),
    };
  });
  const scoreOf = ({ score }: ConfigurationResult): number => score?.mean ?? -Infinity;
  return spec.sweep ? results.toSorted((a, b) => compare(scoreOf(b), scoreOf(a))) : results;
}

/** Of a sweep, the point with the best score for each configuration and dataset that has one. */
export function bestResults(experiment: Experiment, results: readonly ConfigurationResult[]): ConfigurationResult[] {
  if (!experimentSpecOf(experiment).sweep) return [];
  const scored = results.filter(({ score }) => score !== null);
  const fields = groupedBy(scored, ({ configuration, datasetId }) => `${datasetId} ${configuration}`);
  return [...fields.values()].map(([best]) => best!);
}

function cellResults(runs: readonly (readonly MetricPoint[])[]): CellResult[] {
  const cells = groupedBy(runs.flat(), ({ scenarioKey, taskKey }) => `${scenarioKey}/${taskKey}`);
  return [...cells.values()].map((points) => {
    const { scenarioKey, taskKey } = points[0]!;
    const of = (name: string) => overSeeds(points.flatMap((point) => (point.name === name ? point.value : [])));
    return { scenarioKey, taskKey, auc: of("auc"), logloss: of("logloss") };
  });
}

/** Over the cells that have the metric. */
function meanOf(points: readonly MetricPoint[], name: string): number | null {
  const values = points.flatMap((point) => (point.name === name && point.value !== null ? point.value : []));
  return values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
}

function overSeeds(values: readonly (number | null)[]): MeanOverSeeds | null {
  const present = values.filter((value) => value !== null);
  const runs = present.length;
  if (runs === 0) return null;
  const mean = present.reduce((sum, x) => sum + x, 0) / runs;
  const squares = present.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: runs === 1 ? null : Math.sqrt(squares / (runs - 1)), runs };
}

/** Infinities are equal to themselves, which their difference is not. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
