/** Runs one training from its spec: the door of this folder for the training thread. */
import type { DatasetShape, Split, SplitRows } from "../data/spec.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { TrainingHooks, TrainingTimings } from "./events.ts";
import type { RunSpec } from "./runSpec.ts";

export interface TrainingInput {
  readonly spec: RunSpec;
  readonly plugin: BackbonePlugin;
  readonly shape: DatasetShape;
  readonly rows: Readonly<Record<Split, SplitRows>>;
  /** The checkpoint of the search run; PRUNE only. */
  readonly parent?: Checkpoint;
  readonly hooks: TrainingHooks;
}

export interface TrainingResult {
  readonly checkpoint: Checkpoint;
  readonly timings: TrainingTimings;
}

export async function runTraining(_input: TrainingInput): Promise<TrainingResult> {
  throw new Error("not written yet");
}
