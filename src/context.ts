/** What every resolver gets, made anew for each request; and the types of the rows behind the API's types. */
import { createLoaders } from "./loaders/loaders.ts";
import type { Loaders } from "./loaders/loaders.ts";
import type { Services } from "./services/services.ts";

export type {
  DatasetCountRow,
  DatasetRow,
  FlowStatisticRow,
  MetricPointRow,
  Page,
  PageRequest,
  RunRow,
  ScenarioRow,
  TaskRow,
} from "./loaders/loaders.ts";
export type { PredictedRow as PredictedRowRow, TaskPrediction as TaskPredictionRow } from "./services/predict.ts";
export type {
  BackbonePlugin,
  BackboneRow,
  EngineWord,
  FieldRow,
  LabelRow,
  PhaseWord,
  ScenarioValueRow,
  SplitWord,
} from "./services/stored.ts";
export {
  backboneOf,
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
} from "./services/stored.ts";

export interface Context {
  readonly loaders: Loaders;
  readonly services: Services;
}

export function createContext(store: Parameters<typeof createLoaders>[0], services: Services): Context {
  return { loaders: createLoaders(store), services };
}
