/** Runs one training from its spec: the door of this folder for the training thread. */
import type { Checkpoint } from "../model/checkpoint.ts";
import type { StopReason, TrainingTimings } from "./events.ts";
import { runPrune, runSearch, runTowers } from "./procedures.ts";
import { createWorkbench, type TrainingInput } from "./workbench.ts";

export type { TrainingInput } from "./workbench.ts";

export interface TrainingResult {
  readonly checkpoint: Checkpoint;
  /** Of the finished model on the test split [rows, tasks]. */
  readonly predictions: Float32Array;
  readonly stopReason: StopReason;
  readonly timings: TrainingTimings;
}

const procedures = { SEARCH: runSearch, PRUNE: runPrune, TRAIN: runTowers };

/**
 * Trains to the end and reports on the way; the same input gives bitwise the same checkpoint on one machine. Throws
 * TrainingInterrupted where `control` wishes it, DivergedError where the numbers explode.
 */
export async function runTraining(input: TrainingInput): Promise<TrainingResult> {
  const workbench = await createWorkbench(input);
  try {
    const { checkpoint, stopReason } = await procedures[input.spec.kind](workbench);
    const { arrays, gateRule } = checkpoint;
    const validation = await workbench.evaluate("validation", "FULL", arrays, gateRule);
    await workbench.pacer.whileResting();
    const test = await workbench.evaluate("test", "FULL", arrays, gateRule);
    input.hooks.metrics({ summary: null, metrics: [...validation.metrics, ...test.metrics] });
    await workbench.pacer.finish();
    return { checkpoint, predictions: test.probabilities, stopReason, timings: workbench.timings() };
  } finally {
    await workbench.release();
  }
}
