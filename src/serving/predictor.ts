/** A loaded model that answers rows of ids. */
import type { BackbonePlugin } from "../plugin/contract.ts";
import type { Checkpoint } from "../model/checkpoint.ts";

export interface PredictionRows {
  readonly rows: number;
  /** [rows, fields] */
  readonly ids: Int32Array;
  /** [rows] */
  readonly scenario: Int32Array;
}

export interface Predictions {
  /** σ(logit) [rows, tasks] */
  readonly probabilities: Float32Array;
  /** AUTOIFS heads only: full and the four flows [rows, tasks, 5]; logit = full − Σ gate·flow. */
  readonly partialLogits?: Float32Array;
  /** AUTOIFS heads only: the applied gates, 1 removes [rows, tasks, 4]. */
  readonly gates?: Float32Array;
}

export interface Predictor {
  predict(rows: PredictionRows): Promise<Predictions>;
  release(): Promise<void>;
}

export async function loadPredictor(_checkpoint: Checkpoint, _plugin: BackbonePlugin): Promise<Predictor> {
  throw new Error("not written yet");
}
