/** Words that the API writes in capitals and the rest of the program in small letters. */
import type {
  EngineNameResolvers,
  SelectionMetricResolvers,
  MetricNameResolvers,
  PhaseResolvers,
  SplitResolvers,
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
};

export const SelectionMetric: SelectionMetricResolvers = { AUC: "auc", LOGLOSS: "logloss" };
