/** Runs one training from its spec: the door of this folder for the training thread. */
import type { Checkpoint } from "../model/checkpoint.ts";
import type { CellMetric, StopReason, TrainingTimings } from "./events.ts";
import { extending, runExtend } from "./coldAdd.ts";
import { runPrune, runSearch, runTowers } from "./procedures.ts";
import { createWorkbench, type TrainingInput, type Workbench } from "./workbench.ts";

export type { TrainingInput } from "./workbench.ts";

export interface TrainingResult {
  readonly checkpoint: Checkpoint;
  /** Of the finished model on the test split [rows, tasks]. */
  readonly predictions: Float32Array;
  readonly stopReason: StopReason;
  readonly timings: TrainingTimings;
}

const procedures = { SEARCH: runSearch, PRUNE: runPrune, TRAIN: runTowers, EXTEND: runExtend };

/**
 * Trains to the end and reports on the way; the same input gives bitwise the same checkpoint on one machine. Throws
 * TrainingInterrupted where `control` wishes it, DivergedError where the numbers explode.
 */
export async function runTraining(input: TrainingInput): Promise<TrainingResult> {
  const workbench = await createWorkbench(input.spec.kind === "EXTEND" ? extending(input) : input);
  try {
    const { checkpoint, stopReason } = await procedures[input.spec.kind](workbench);
    const { arrays, gateRule } = checkpoint;
    const validation = await measuredWithFlows(workbench, checkpoint);
    await workbench.pacer.whileResting();
    const { probabilities, metrics: test } = await workbench.evaluate("test", "FULL", arrays, gateRule);
    input.hooks.metrics({ summary: null, metrics: [...validation, ...test] });
    await workbench.pacer.finish();
    return { checkpoint, predictions: probabilities, stopReason, timings: workbench.timings() };
  } finally {
    await workbench.release();
  }
}

/** The metrics of the validation split. Reports what each flow is worth, and lets the partial logits go. */
async function measuredWithFlows(
  workbench: Workbench,
  { arrays, gateRule }: Checkpoint,
): Promise<readonly CellMetric[]> {
  const validation = await workbench.evaluate("validation", "FULL", arrays, gateRule);
  if (gateRule) workbench.hooks.effects(await workbench.flowEffects("validation", validation));
  return validation.metrics;
}
