/** Words that the API writes in capitals and the rest of the program in small letters. */
import type {
  EngineNameResolvers,
  SelectionMetricResolvers,
  MetricNameResolvers,
  PhaseResolvers,
  SplitResolvers,
  WebhookEventResolvers,
} from "./generated.ts";

export const Split: SplitResolvers = { TRAIN: "train", VALIDATION: "validation", TEST: "test" };

export const Phase: PhaseResolvers = { SEARCH: "search", RETRAIN: "retrain", TRAIN: "train" };

export const EngineName: EngineNameResolvers = {
  COMPILED: "compiled",
  CPU: "cpu",
  WASM: "wasm",
  TENSORFLOW: "tensorflow",
};

export const MetricName: MetricNameResolvers = {
  AUC: "auc",
  LOGLOSS: "logloss",
  CALIBRATION: "calibration",
  ECE: "ece",
  NORMALISED_ENTROPY: "normalisedEntropy",
  GAUC: "gauc",
  CONDITIONAL_AUC: "conditionalAuc",
};

export const SelectionMetric: SelectionMetricResolvers = { AUC: "auc", LOGLOSS: "logloss" };

export const WebhookEvent: WebhookEventResolvers = {
  RUN_QUEUED: "run.queued",
  RUN_RUNNING: "run.running",
  RUN_PAUSED: "run.paused",
  RUN_SUCCEEDED: "run.succeeded",
  RUN_FAILED: "run.failed",
  RUN_CANCELLED: "run.cancelled",
  DATASET_READY: "dataset.ready",
  DATASET_FAILED: "dataset.failed",
  EXPERIMENT_FINISHED: "experiment.finished",
  MODEL_VERSION_CREATED: "model.version_created",
  MODEL_ALIAS_MOVED: "model.alias_moved",
  MODEL_PROMOTION_REFUSED: "model.promotion_refused",
};
