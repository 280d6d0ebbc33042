/** What the JSON columns of the store mean. They were checked when they were written, and only this program writes them. */
import type { LeakageWarning } from "../data/leakageWarning.ts";
import type { DatasetManifest, FieldCount } from "../data/manifest.ts";
import type { Cell } from "../data/onlyCell.ts";
import { splits } from "../data/spec.ts";
import type { DatasetSpec, FieldSpec } from "../data/spec.ts";
import type { EngineName } from "../engine/engines.ts";
import type { AutoIfsHead, HeadSpec } from "../model/spec.ts";
import type { ModelSize } from "../serving/modelSize.ts";
import type { Dataset, DatasetCount, Run } from "../store/rows.ts";
import type { Progress, TrainingTimings } from "../training/events.ts";
import { defaultHyperParameters } from "../training/hyperParameters.ts";
import type { HyperParameters, Preset, Selection } from "../training/hyperParameters.ts";
import type { Budget } from "../training/pacer.ts";
import type { CellChange, PruneRule } from "../training/pruneRule.ts";
import type { RunSpec } from "../training/runSpec.ts";

export type { Split as SplitWord } from "../data/spec.ts";
export type { EngineName as EngineWord } from "../engine/engines.ts";
export type { MetricName as MetricWord } from "../metrics/measurement.ts";
export type { BackbonePlugin } from "../plugin/contract.ts";
export type PhaseWord = Progress["phase"];

export type ScenarioValueRow = DatasetSpec["scenario"]["values"][number];
export type LabelRow = DatasetSpec["labels"][number];
export type DatasetWarningRow = LeakageWarning;

export interface RunCellRow {
  readonly scenarioKey: string;
  readonly taskKey: string;
}

export type CellWeightRow = Selection["weights"][number];

export type { TaskWeight as TaskWeightRow } from "../training/lossBalancing/lossBalancer.ts";

export interface FieldRow {
  readonly spec: FieldSpec;
  /** Undefined until the dataset is READY. */
  readonly count: FieldCount | undefined;
}

export interface BackboneRow {
  readonly name: string;
  readonly config: unknown;
}

export const specOf = ({ spec }: Dataset): DatasetSpec => spec as DatasetSpec;

/** Null until the dataset is READY. */
export const manifestOf = ({ manifest }: Dataset): DatasetManifest | null => manifest as DatasetManifest | null;

export function fieldsOf(dataset: Dataset): FieldRow[] {
  const counts = manifestOf(dataset)?.fields;
  return specOf(dataset).fields.map((spec, index) => ({ spec, count: counts?.[index] }));
}

/** Empty until the dataset is READY, and for one imported before there were checks. */
export const warningsOf = (dataset: Dataset): LeakageWarning[] => [...(manifestOf(dataset)?.warnings ?? [])];

/** Why the import failed, and where in the file; null unless FAILED. */
export function importErrorOf(dataset: Dataset) {
  const { error } = dataset;
  if (error === null) return null;
  const { field, line, received } = error.detail;
  const { fields, scenario, labels, split, time } = specOf(dataset);
  const columns = [
    ...fields,
    ...labels,
    scenario,
    ...(split.kind === "RANDOM" ? [] : [split]),
    ...(time ? [time] : []),
  ];
  const column = columns.find((part) => part.column === field)?.column;
  return {
    code: error.code,
    message: error.message,
    column: column ?? null,
    line: line ?? null,
    value: received ?? null,
  };
}

/** By split, then scenario, then task, each in its own order. */
export function inSpecOrder(counts: readonly DatasetCount[], dataset: Dataset): DatasetCount[] {
  const { scenario, labels } = specOf(dataset);
  const scenarios = scenario.values.map((value) => value.scenario);
  const tasks = labels.map(({ task }) => task);
  const place = ({ split, scenarioKey, taskKey }: DatasetCount): number =>
    (splits.indexOf(split) * scenarios.length + scenarios.indexOf(scenarioKey)) * tasks.length + tasks.indexOf(taskKey);
  return [...counts].sort((a, b) => place(a) - place(b));
}

export const backboneOf = ({ backboneName: name, backboneConfig: config }: Run): BackboneRow => ({ name, config });

/** Runs from before there was a choice have the gates of the paper. */
export const headOf = ({ head }: Run): HeadSpec => {
  const stored = head as HeadSpec;
  return stored.kind === "AUTOIFS" ? { ...stored, gates: stored.gates ?? "ROW" } : stored;
};

/** Of a search, or of a prune of one. */
export const gatesOf = (run: Run): AutoIfsHead["gates"] => (headOf(run) as AutoIfsHead).gates;

/** What a prune was asked to do; null for other runs. */
export function pruneRuleOf(run: Run): PruneRule | null {
  if (run.kind !== "PRUNE") return null;
  return (run.pruneRule as PruneRule | null) ?? { granularity: gatesOf(run), threshold: run.pruneThreshold ?? 0.5 };
}

/** Null where nothing was allowed, or nothing is measured yet. */
export const pruneVerifiedOf = ({ pruneVerified }: Run): CellChange[] | null => pruneVerified as CellChange[] | null;

/** Runs from before there was a choice were selected by the mean AUC, and trained on the sum of the losses. */
export const hyperParametersOf = ({ hyperParameters }: Run): HyperParameters => {
  const { selection, lossBalancing } = defaultHyperParameters("RECOMMENDED");
  return { selection, lossBalancing, ...(hyperParameters as Omit<HyperParameters, "selection" | "lossBalancing">) };
};

export const engineOf = ({ engine }: Run): EngineName => engine as EngineName;

export const presetOf = ({ preset }: Run): Preset | null => preset as Preset | null;

/** Null before the first report. */
export const progressOf = ({ progress }: Run): Progress | null => progress as Progress | null;

/** Null until the run has SUCCEEDED. */
export const timingsOf = ({ timings }: Run): TrainingTimings | null => timings as TrainingTimings | null;

/** Null until the run has SUCCEEDED, and where its model was not measured. */
export const modelSizeOf = ({ size }: Run): ModelSize | null => size as ModelSize | null;

/** Null for a run on all cells. */
export const cellOf = ({ cell }: Run): Cell | null => cell as Cell | null;

export const budgetOf = ({ budget }: Run): Budget | null => budget as Budget | null;

/** The run as the training thread gets it. */
export function runSpecOf(run: Run): RunSpec {
  const { kind, seed, pauseAtEpoch } = run;
  const [prune, cell, budget] = [pruneRuleOf(run), cellOf(run), budgetOf(run)];
  return {
    kind,
    model: { backbone: backboneOf(run), head: headOf(run) },
    hyperParameters: hyperParametersOf(run),
    seed,
    engine: engineOf(run),
    ...(prune === null ? {} : { prune }),
    ...(pauseAtEpoch === null ? {} : { pauseAtEpoch }),
    ...(cell === null ? {} : { cell }),
    ...(budget === null ? {} : { budget }),
  };
}
