/** A trained model as named arrays with a description, and its bytes on disk (the safetensors layout). */
import type { DatasetShape } from "../data/spec.ts";
import type { ModelSpec } from "./spec.ts";

export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Everything needed to predict or to go on from: the model, the sizes, and all arrays by name. */
export interface Checkpoint {
  readonly model: ModelSpec;
  readonly embeddingDim: number;
  /** The temperature τ the search ended with, or ended so far; absent for towers. */
  readonly temperature?: number;
  readonly shape: DatasetShape;
  readonly arrays: Readonly<Record<string, NamedArray>>;
}

export function encodeCheckpoint(_checkpoint: Checkpoint): Uint8Array {
  throw new Error("not written yet");
}

export function decodeCheckpoint(_bytes: Uint8Array): Checkpoint {
  throw new Error("not written yet");
}
