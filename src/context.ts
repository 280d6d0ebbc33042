/** What every resolver gets, made anew for each request; and the types of the rows behind the API's types. */
import { createLoaders } from "./loaders/loaders.ts";
import type { Loaders } from "./loaders/loaders.ts";
import type { Actor } from "./services/access/actor.ts";
import type { Services } from "./services/services.ts";

export type { Actor } from "./services/access/actor.ts";
export { mayAct } from "./services/access/actor.ts";
export type { Role } from "./services/access/actor.ts";

export type {
  AnnotatedRow,
  AuditEntryRow,
  BackboneStatisticRow,
  BatchPredictionRow,
  DatasetCountRow,
  DatasetRow,
  ExperimentRow,
  ExportRow,
  FlowEffectRow,
  FlowStatisticRow,
  List,
  LossWeightRow,
  ModelAliasRow,
  ModelExportRow,
  ModelTrafficRow,
  ModelRow,
  ModelVersionRow,
  PromotionRuleRow,
  MetricChangeRow,
  MetricPointRow,
  MetricSummaryRow,
  OrderValue,
  Page,
  PageRequest,
  RunRow,
  ScenarioRow,
  TagRow,
  TaskRow,
  TokenRow,
  TrialRow,
  WebhookDeliveryRow,
  WebhookEventWord,
  WebhookRow,
} from "./loaders/loaders.ts";
export type {
  CellResult as CellResultRow,
  ConfigurationResult as ConfigurationResultRow,
} from "./services/experiment/experimentResults.ts";
export { differencePairs } from "./services/model/differencePairs.ts";
export type { DifferenceFigures as DifferenceFiguresRow } from "./services/model/differencePairs.ts";
export type { MeasuredRow } from "./services/model/judgeRule.ts";
export { bestResults, experimentResults, finalRun } from "./services/experiment/experimentResults.ts";
export { experimentSpecOf, trialConfigurationOf } from "./services/experiment/experimentSpec.ts";
export type {
  PredictedRow as PredictedRowRow,
  TaskPrediction as TaskPredictionRow,
} from "./services/prediction/predict.ts";
export { addedKeys } from "./services/run/extendModel.ts";
export type { RunExtension as RunExtensionRow } from "./services/run/extendModel.ts";
export { gateAlarmsOf } from "./services/run/gateAlarms.ts";
export type { GateAlarm as GateAlarmRow } from "./services/run/gateAlarms.ts";
export type { CheckpointSaved as CheckpointSavedRow, RunEventRow } from "./services/run/runEvents.ts";
export {
  checkpointSavedOf,
  epochSummaryOf,
  progressReportOf,
  runEvents,
  stateChangeOf,
} from "./services/run/runEvents.ts";
export type {
  BackbonePlugin,
  BackboneRow,
  CellWeightRow,
  DatasetWarningRow,
  EngineWord,
  FieldRow,
  LabelRow,
  MetricWord,
  PhaseWord,
  RunCellRow,
  ScenarioValueRow,
  SplitWord,
  TaskWeightRow,
} from "./services/stored.ts";
export type { ComparedCellRow } from "./services/comparison/compareCells.ts";
export type { CellCalibration as CellCalibrationRow } from "./services/drift/calibration.ts";
export type { FieldDrift as FieldDriftRow } from "./services/drift/drift.ts";
export type { OutcomeError as OutcomeErrorRow } from "./services/drift/recordOutcomes.ts";
export { runOfExport } from "./services/export/exportSpec.ts";
export { exportRecordOf } from "./services/modelExport/exportRecord.ts";
export type { Comparison as ComparisonRow } from "./services/comparison/compareRuns.ts";
export { protocolOf, versionsOf } from "./services/comparison/protocolOf.ts";
export type { MetricDifferenceRow } from "./services/run/replayOf.ts";
export type { CellChangeRow, PlannedCellRow, PruneBreachRow } from "./services/run/planPrune.ts";
export { replayOf } from "./services/run/replayOf.ts";
export type { SeesawCellRow } from "./services/comparison/seesaw.ts";
export {
  backboneOf,
  budgetOf,
  cellOf,
  engineOf,
  fieldsOf,
  headOf,
  hyperParametersOf,
  modelSizeOf,
  importErrorOf,
  inSpecOrder,
  manifestOf,
  presetOf,
  progressOf,
  pruneRuleOf,
  pruneVerifiedOf,
  specOf,
  timingsOf,
  warningsOf,
} from "./services/stored.ts";

/** What is known of a request before its operation is read. */
export interface Asked {
  readonly actor: Actor;
  /** As in the header `x-request-id`. */
  readonly requestId: string;
  /** Whether anybody still waits for the answer. An AbortSignal is one. */
  readonly signal: Waiting;
}

export interface Waiting {
  /** Throws when nobody waits any more: the client has left, or the time is up. */
  throwIfAborted(): void;
}

export interface Context extends Asked {
  readonly loaders: Loaders;
  readonly services: Services;
}

type Store = Parameters<typeof createLoaders>[0];

export function createContext(store: Store, services: Services, asked: Asked): Context {
  return new RequestContext(store, services, asked);
}

/**
 * A class for its accessor: of an object literal with one the engine makes a new hidden class each time, which takes ten times
 * as long as the loaders. Apollo executes with a copy, in which the loaders are still to be made.
 */
class RequestContext implements Context {
  readonly actor: Actor;
  readonly requestId: string;
  readonly signal: Waiting;
  readonly services: Services;
  readonly store: Store;
  made: Loaders | undefined;

  constructor(store: Store, services: Services, { actor, requestId, signal }: Asked) {
    this.actor = actor;
    this.requestId = requestId;
    this.signal = signal;
    this.services = services;
    this.store = store;
  }

  /** Made when they are first asked for: there are many, and many a request needs none. */
  get loaders(): Loaders {
    return (this.made ??= createLoaders(this.store, this.signal));
  }
}
