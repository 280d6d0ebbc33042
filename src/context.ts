/** What every resolver gets, made anew for each request; and the types of the rows behind the API's types. */
import { createLoaders } from "./loaders/loaders.ts";
import type { Loaders } from "./loaders/loaders.ts";
import type { Services } from "./services/services.ts";

export type {
  DatasetCountRow,
  DatasetRow,
  ExperimentRow,
  FlowStatisticRow,
  MetricPointRow,
  MetricSummaryRow,
  Page,
  PageRequest,
  RunRow,
  ScenarioRow,
  TaskRow,
  TrialRow,
} from "./loaders/loaders.ts";
export type {
  CellResult as CellResultRow,
  ConfigurationResult as ConfigurationResultRow,
} from "./services/experiment/experimentResults.ts";
export { bestResults, experimentResults, finalRun } from "./services/experiment/experimentResults.ts";
export { experimentSpecOf, trialConfigurationOf } from "./services/experiment/experimentSpec.ts";
export type {
  PredictedRow as PredictedRowRow,
  TaskPrediction as TaskPredictionRow,
} from "./services/prediction/predict.ts";
export type { CheckpointSaved as CheckpointSavedRow, RunEventRow } from "./services/run/runEvents.ts";
export { checkpointSavedOf, epochSummaryOf, progressReportOf, stateChangeOf } from "./services/run/runEvents.ts";
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
} from "./services/stored.ts";
export type { ComparedCellRow } from "./services/comparison/compareCells.ts";
export type { Comparison as ComparisonRow } from "./services/comparison/compareRuns.ts";
export { protocolOf, versionsOf } from "./services/comparison/protocolOf.ts";
export type { MetricDifferenceRow } from "./services/run/replayOf.ts";
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
  importErrorOf,
  inSpecOrder,
  manifestOf,
  presetOf,
  progressOf,
  specOf,
  timingsOf,
  warningsOf,
} from "./services/stored.ts";

export interface Context {
  readonly loaders: Loaders;
  readonly services: Services;
}

export function createContext(store: Parameters<typeof createLoaders>[0], services: Services): Context {
  return { loaders: createLoaders(store), services };
}
