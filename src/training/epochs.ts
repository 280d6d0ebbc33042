/** What all procedures share: one pass over the training rows, and passes until the validation AUC stops rising. */
import { fillBatch, rowOrder } from "../data/batches.ts";
import type { SplitRows } from "../data/spec.ts";
import { copied, type NamedArrays } from "../model/checkpoint.ts";
import { createRandom, type Random } from "../random.ts";
import { meanAuc } from "./evaluate.ts";
import type { CellMetric, Progress, TrainingHooks } from "./events.ts";
import type { Learner } from "./learner.ts";

export interface EpochOptions {
  readonly learner: Learner;
  readonly rows: SplitRows;
  /** Hard gates of all rows [rows, 4T]; retrain only. */
  readonly gates?: Uint8Array;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** Share of ids replaced by `unknownIds` [fields]. */
  readonly fieldDropout: number;
  readonly unknownIds: readonly number[];
  readonly seed: number;
  readonly phase: Progress["phase"];
  /** For the report; `epoch` counts from 0. */
  readonly epoch: number;
  readonly epochs: number;
  readonly hooks: TrainingHooks;
}

/** Milliseconds between progress reports. */
const reportInterval = 250;

/** One pass; the last batch holds what is left. Throws where the loss is no longer a number. */
export async function trainEpoch(options: EpochOptions): Promise<void> {
  const { learner, rows, gates, batchSize, shuffle, seed, phase, epoch, epochs, hooks } = options;
  const { fieldDropout, unknownIds } = options;
  const random = createRandom(seed, `field dropout of epoch ${epoch}`);
  const order = rowOrder({ rows: rows.rows, seed, epoch, shuffle });
  const steps = Math.ceil(rows.rows / batchSize);
  const started = performance.now();
  let reported = 0;
  for (let step = 0; step < steps; step++) {
    const start = step * batchSize;
    const count = fillBatch({ source: rows, order, start, end: start + batchSize, into: learner.batch });
    if (fieldDropout > 0) dropFields(learner.batch.ids, count, unknownIds, fieldDropout, random);
    if (gates) fillGates(gates, gates.length / rows.rows, order.subarray(start, start + count), learner.batch.gates);
    const loss = await learner.step(count);
    if (!Number.isFinite(loss))
      throw new Error(`${phase}: the loss is ${loss} in epoch ${epoch + 1}, step ${step + 1}`);
    const now = performance.now();
    if (now - reported < reportInterval && step + 1 < steps) continue;
    reported = now;
    const samplesPerSecond = ((start + count) / (now - started)) * 1000;
    const temperature = phase === "search" ? { temperature: learner.temperature[0]! } : {};
    hooks.progress({ phase, epoch: epoch + 1, epochs, step: step + 1, steps, samplesPerSecond, loss, ...temperature });
  }
}

export interface FitOptions extends Omit<EpochOptions, "epoch" | "epochs"> {
  readonly maxEpochs: number;
  /** Epochs without a better validation AUC before it stops; 0 stops at the first. */
  readonly patience: number;
  /** How far below the best validation AUC an epoch may stay and still be kept for being the later one. */
  readonly selectionTolerance: number;
  /** Metrics of the validation split with the weights that would be kept: `learner.kept()`. */
  readonly validate: () => Promise<readonly CellMetric[]>;
}

/**
 * Trains until the mean validation AUC has not risen for more than `patience` epochs. Returns the weights of the last
 * epoch that came within `selectionTolerance` of the best one before it; with 0, of the best epoch itself.
 */
export async function fit(options: FitOptions): Promise<NamedArrays> {
  const { maxEpochs, patience, selectionTolerance, validate, ...epochOptions } = options;
  const { learner, hooks } = epochOptions;
  let best = { auc: 0, epoch: -1 };
  let kept = copied(learner.kept());
  for (let epoch = 0; epoch < maxEpochs; epoch++) {
    await trainEpoch({ ...epochOptions, epoch, epochs: maxEpochs });
    const metrics = await validate();
    hooks.metrics({ epoch: epoch + 1, metrics });
    const auc = meanAuc(metrics);
    if (auc > best.auc - selectionTolerance) kept = copied(learner.kept());
    if (auc > best.auc) best = { auc, epoch };
    else if (epoch - best.epoch > patience) break;
  }
  return kept;
}

function dropFields(ids: Int32Array, rows: number, unknownIds: readonly number[], share: number, random: Random): void {
  const fields = unknownIds.length;
  for (let i = 0; i < rows * fields; i++) if (random.uniform() < share) ids[i] = unknownIds[i % fields]!;
}

/** Copies the gates [width] of the ordered rows to the front of `into`. */
function fillGates(gates: Uint8Array, width: number, order: Uint32Array, into: Float32Array): void {
  for (const [i, row] of order.entries()) for (let j = 0; j < width; j++) into[i * width + j] = gates[row * width + j]!;
}
