/**
 * Rows as callers see them: the columns of schema.prisma with closed sets as unions, JSON parsed (as `unknown`: what it
 * means is the caller's business) and dates as Date.
 */
import type { ErrorCode, ErrorDetail } from "../errors.ts";
import type {
  ArtifactModel,
  BackboneStatisticModel,
  BatchPredictionModel,
  DatasetCountModel,
  DatasetModel,
  ExperimentModel,
  ExportModel,
  FlowEffectModel,
  FlowStatisticModel,
  GateStatisticModel,
  LossWeightModel,
  MetricPointModel,
  ModelAliasModel,
  ModelExportModel,
  ModelModel,
  ModelRunModel,
  ModelTrafficModel,
  ModelVersionModel,
  PromotionRuleModel,
  RunEventModel,
  ScenarioModel,
  TaskModel,
  TrafficDifferenceModel,
  TrialModel,
} from "./client/models.ts";
import type { RuleTerms } from "./ruleTerms.ts";

export type DatasetStatus = "IMPORTING" | "READY" | "FAILED";
export type RunKind = "SEARCH" | "PRUNE" | "TRAIN" | "EXTEND";
export type RunState = "QUEUED" | "RUNNING" | "PAUSED" | "SUCCEEDED" | "FAILED" | "CANCELLED";
export type StopReason = "COMPLETED" | "EARLY_STOPPING" | "BUDGET_EPOCHS" | "BUDGET_SECONDS";
export type RunEventKind = "STATE" | "PROGRESS" | "EPOCH" | "CHECKPOINT";
export type ExperimentState = "RUNNING" | "FINISHED" | "CANCELLED";
export type TrialState = "WAITING" | "RUNNING" | "FINISHED" | "STOPPED" | "FAILED";
export type JobKind = "IMPORT_DATASET" | "TRAIN" | "ADVANCE_EXPERIMENT" | "EXPORT" | "PREDICT_BATCH" | "EXPORT_MODEL";
export type ExportKind = "RUNS" | "METRICS" | "PREDICTIONS";
export type RowsFormat = "JSONL" | "PARQUET";
export type ModelExportFormat = "ONNX" | "TFJS";
export type ExportState = "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED";
export type BatchState = ExportState | "CANCELLED";
export type Split = "train" | "validation" | "test";
export type Phase = "search" | "retrain" | "train";
export type MetricReason = "NO_ROWS" | "ONE_CLASS" | "NOT_FINITE" | "NO_GROUPS";
/** Who gets whose answer: SHADOW the first version's always, CANARY of a share of the requests the second's. */
export type TrafficKind = "SHADOW" | "CANARY";
export type Flow = "SHARED_SHARED" | "SCENARIO_TASK" | "SHARED_TASK" | "SCENARIO_SHARED";

/** Why a dataset, run, export (also of a model) or batch prediction failed. INTERNAL: a fault of ours. WORKER_DIED: the process ended again and again. */
export interface RecordedError {
  readonly code: ErrorCode | "INTERNAL" | "WORKER_DIED";
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** `Row` with the columns of `Meaning` retyped. */
type Read<Row, Meaning extends { [K in keyof Meaning]: K extends keyof Row ? unknown : never }> = Readonly<
  Omit<Row, keyof Meaning> & Meaning
>;

export type Scenario = Readonly<ScenarioModel>;
export type Task = Readonly<TaskModel>;
export type Dataset = Read<
  DatasetModel,
  { spec: unknown; status: DatasetStatus; error: RecordedError | null; manifest: unknown }
>;
export type DatasetCount = Read<DatasetCountModel, { split: Split }>;
export type Run = Read<
  ModelRunModel,
  {
    kind: RunKind;
    backboneConfig: unknown;
    head: unknown;
    hyperParameters: unknown;
    pruneRule: unknown;
    pruneVerified: unknown;
    cell: unknown;
    budget: unknown;
    state: RunState;
    stopReason: StopReason | null;
    progress: unknown;
    error: RecordedError | null;
    timings: unknown;
    size: unknown;
    versions: unknown;
  }
>;
export type RunEvent = Read<RunEventModel, { kind: RunEventKind; content: unknown }>;
export type Experiment = Read<ExperimentModel, { state: ExperimentState; spec: unknown }>;
export type Trial = Read<TrialModel, { configuration: unknown; state: TrialState }>;
export type MetricPoint = Read<MetricPointModel, { split: Split; reason: MetricReason | null }>;
export type FlowStatistic = Read<FlowStatisticModel, { flow: Flow }>;
export type GateStatistic = Read<GateStatisticModel, { flow: Flow }>;
/** A metric of a changed model minus that of the model; `reason`: why there is no value or no interval. */
export interface MetricChange {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly reason: MetricReason | "NO_INTERVAL" | null;
}
export type FlowEffect = Read<
  FlowEffectModel,
  { flow: Flow; outAuc: MetricChange; outLogloss: MetricChange; inAuc: MetricChange; inLogloss: MetricChange }
>;
export type LossWeight = Read<LossWeightModel, { phase: Phase }>;
export type BackboneStatistic = Read<BackboneStatisticModel, { phase: Phase; values: readonly number[] }>;
export type Artifact = Read<ArtifactModel, { bytes: number }>;
export type Model = Readonly<ModelModel>;
export type ModelVersion = Readonly<ModelVersionModel>;
export type ModelAlias = Readonly<ModelAliasModel>;
export type PromotionRule = Read<PromotionRuleModel, { rule: RuleTerms }>;
export type ModelTraffic = Read<ModelTrafficModel, { kind: TrafficKind }>;
export type TrafficDifference = Readonly<TrafficDifferenceModel>;
export type Export = Read<
  ExportModel,
  { kind: ExportKind; format: RowsFormat; spec: unknown; state: ExportState; error: RecordedError | null }
>;
export type ModelExport = Read<
  ModelExportModel,
  { format: ModelExportFormat; state: ExportState; record: unknown; error: RecordedError | null }
>;
export type BatchPrediction = Read<
  BatchPredictionModel,
  {
    format: RowsFormat;
    state: BatchState;
    /** Per column the rows whose value training did not keep. */
    unknown: Readonly<Record<string, number>>;
    error: RecordedError | null;
  }
>;

/** Proof that a worker holds a job: every write of its work is refused once the job was given to another or cancelled. */
export interface Lease {
  readonly jobId: string;
  /** What the job is about: a dataset, a run ... */
  readonly subjectId: string;
  readonly owner: string;
  readonly attempt: number;
}

export interface ClaimedJob extends Lease {
  readonly kind: JobKind;
}

export function datasetOf(row: DatasetModel): Dataset {
  return {
    ...row,
    spec: parse(row.spec),
    status: row.status as DatasetStatus,
    error: parse(row.error) as RecordedError | null,
    manifest: parse(row.manifest),
  };
}

export function countOf(row: DatasetCountModel): DatasetCount {
  return { ...row, split: row.split as Split };
}

export function runOf(row: ModelRunModel): Run {
  return {
    ...row,
    kind: row.kind as RunKind,
    backboneConfig: parse(row.backboneConfig),
    head: parse(row.head),
    hyperParameters: parse(row.hyperParameters),
    pruneRule: parse(row.pruneRule),
    pruneVerified: parse(row.pruneVerified),
    cell: parse(row.cell),
    budget: parse(row.budget),
    state: row.state as RunState,
    stopReason: row.stopReason as StopReason | null,
    progress: parse(row.progress),
    error: parse(row.error) as RecordedError | null,
    timings: parse(row.timings),
    size: parse(row.size),
    versions: parse(row.versions),
  };
}

export function eventOf(row: RunEventModel): RunEvent {
  return { ...row, kind: row.kind as RunEventKind, content: parse(row.content) };
}

export function experimentOf(row: ExperimentModel): Experiment {
  return { ...row, state: row.state as ExperimentState, spec: parse(row.spec) };
}

export function trialOf(row: TrialModel): Trial {
  return { ...row, configuration: parse(row.configuration), state: row.state as TrialState };
}

export function metricOf(row: MetricPointModel): MetricPoint {
  return { ...row, split: row.split as Split, reason: row.reason as MetricReason | null };
}

export function flowOf<Row extends FlowStatisticModel | GateStatisticModel>(row: Row): Row & { readonly flow: Flow } {
  return { ...row, flow: row.flow as Flow };
}

export function flowEffectOf(row: FlowEffectModel): FlowEffect {
  return {
    ...row,
    flow: row.flow as Flow,
    outAuc: parse(row.outAuc) as MetricChange,
    outLogloss: parse(row.outLogloss) as MetricChange,
    inAuc: parse(row.inAuc) as MetricChange,
    inLogloss: parse(row.inLogloss) as MetricChange,
  };
}

export function lossWeightOf(row: LossWeightModel): LossWeight {
  return { ...row, phase: row.phase as Phase };
}

export function backboneStatisticOf(row: BackboneStatisticModel): BackboneStatistic {
  return { ...row, phase: row.phase as Phase, values: parse(row.values) as number[] };
}

export function artifactOf(row: ArtifactModel): Artifact {
  return { ...row, bytes: Number(row.bytes) };
}

export function promotionRuleOf(row: PromotionRuleModel): PromotionRule {
  return { ...row, rule: parse(row.rule) as RuleTerms };
}

export function trafficOf(row: ModelTrafficModel): ModelTraffic {
  return { ...row, kind: row.kind as TrafficKind };
}

export function modelExportOf(row: ModelExportModel): ModelExport {
  return {
    ...row,
    format: row.format as ModelExportFormat,
    state: row.state as ExportState,
    record: parse(row.record),
    error: parse(row.error) as RecordedError | null,
  };
}

export function exportOf(row: ExportModel): Export {
  return {
    ...row,
    kind: row.kind as ExportKind,
    format: row.format as RowsFormat,
    spec: parse(row.spec),
    state: row.state as ExportState,
    error: parse(row.error) as RecordedError | null,
  };
}

export function batchPredictionOf(row: BatchPredictionModel): BatchPrediction {
  return {
    ...row,
    format: row.format as RowsFormat,
    state: row.state as BatchState,
    unknown: parse(row.unknown) as Record<string, number>,
    error: parse(row.error) as RecordedError | null,
  };
}

function parse(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
