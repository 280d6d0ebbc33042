/** What answers rows of ids: the rows, the answer, and the function between them for any weights of a model. */
import type { GateRule, NamedArrays } from "../model/checkpoint.ts";

export interface PredictionRows {
  readonly rows: number;
  /** [rows, ids] */
  readonly ids: Int32Array;
  /** [rows, numbers]; of length 0 where there are none. */
  readonly numbers: Float32Array;
  /** [rows] */
  readonly scenario: Int32Array;
}

export interface Predictions {
  /** σ(logit) [rows, tasks], of a conditional task that of both */
  readonly probabilities: Float32Array;
  /** AUTOIFS heads only: full and the four flows [rows, tasks, 5]; a task's own logit = full − Σ gate·flow. */
  readonly partialLogits?: Float32Array;
  /** AUTOIFS heads only: the applied gates, 1 removes [rows, tasks, 4]. */
  readonly gates?: Float32Array;
  /** AUTOIFS heads only: w before the gate rule [rows, tasks, 4]; with FIXED gates the gates themselves. */
  readonly gateLogits?: Float32Array;
}

/** The graph of a model, for any weights of it: compiled once, given arrays and a gate rule at every call. */
export interface Scorer {
  predict(arrays: NamedArrays, rows: PredictionRows, gateRule?: GateRule): Promise<Predictions>;
  release(): Promise<void>;
}
