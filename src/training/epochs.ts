/** What all procedures share: one pass over the training rows, and passes until the validation score stops rising. */
import { fillBatch, rowOrder } from "../data/batches.ts";
import type { SplitRows } from "../data/spec.ts";
import { DivergedError } from "../errors.ts";
import { copied, type NamedArrays } from "../model/checkpoint.ts";
import { createRandom, randomFrom, type Random } from "../random.ts";
import { afterEpoch, isExhausted, notBegun, scoreOf, type StoppingState } from "./earlyStopping.ts";
import { meanAuc } from "./evaluate.ts";
import type { BackboneStatistic, CellMetric, Progress, StopReason, TrainingHooks } from "./events.ts";
import type { Selection } from "./hyperParameters.ts";
import { dropIds } from "./fieldDropout.ts";
import type { IdSlot } from "./fieldDropout.ts";
import type { Learner } from "./learner.ts";
import type { LearnerBatch } from "./stepBatch.ts";
import type { Pacer } from "./pacer.ts";
import type { Place, SavedTraining } from "./trainingState.ts";

export interface EpochOptions {
  readonly learner: Learner;
  readonly rows: SplitRows;
  /** Hard gates of all rows [rows, 4T]; retrain only. */
  readonly gates?: Uint8Array;
  /** Probability with which a row leaves out a flow [S, 4T]; search with gates of cells only. */
  readonly removal?: Float64Array;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** Share of ids replaced by the unknown ones of their fields. */
  readonly fieldDropout: number;
  /** Of a row [ids]. */
  readonly idSlots: readonly IdSlot[];
  readonly seed: number;
  readonly phase: Progress["phase"];
  /** Where to begin; `place.epoch` is the epoch, from 0. */
  readonly place: Place;
  /** At most. */
  readonly epochs: number;
  readonly pacer: Pacer;
  /** The state to be saved where the training is interrupted at a place. */
  readonly capture: (place: Place) => SavedTraining;
  readonly hooks: TrainingHooks;
}

export const theBeginning: Place = { epoch: 0, step: 0, random: null };

/** Milliseconds between progress reports. */
const reportInterval = 250;

/**
 * One pass, or what is left of it; the last batch holds what is left of the rows. False where the time was used up
 * before its end. Throws DivergedError where a number of the training is not finite any more.
 */
export async function trainEpoch(options: EpochOptions): Promise<boolean> {
  const { learner, rows, gates, batchSize, shuffle, seed, phase, place, epochs, pacer, capture, hooks } = options;
  const { fieldDropout, idSlots } = options;
  const { epoch } = place;
  const random = place.random ? randomFrom(place.random) : createRandom(seed, `field dropout of epoch ${epoch}`);
  const order = rowOrder({ rows: rows.rows, seed, epoch, shuffle });
  const steps = Math.ceil(rows.rows / batchSize);
  const started = performance.now();
  let reported = 0;
  if (place.step === 0) learner.beginEpoch();
  for (let step = place.step; step < steps; step++) {
    const start = step * batchSize;
    const count = fillBatch({ source: rows, order, start, end: start + batchSize, into: learner.batch });
    if (fieldDropout > 0) dropIds(learner.batch.ids, count, idSlots, fieldDropout, random);
    if (options.removal) drawGates(learner.batch, count, options.removal, random);
    if (gates) fillGates(gates, gates.length / rows.rows, order.subarray(start, start + count), learner.batch.gates);
    const loss = await learner.step(count);
    if (learner.notFinite) throw diverged(learner.notFinite, phase, epoch, step);
    const now = performance.now();
    if (now - reported >= reportInterval || step + 1 === steps) {
      reported = now;
      const samplesPerSecond = ((start + count - place.step * batchSize) / (now - started)) * 1000;
      const rowsLeft = (pacer.epochsAllowed(epochs) - epoch) * rows.rows - start - count;
      const temperature = phase === "search" ? { temperature: learner.temperature[0]! } : {};
      const counts = { phase, epoch: epoch + 1, epochs, step: step + 1, steps };
      hooks.progress({
        ...counts,
        samplesPerSecond,
        loss,
        ...temperature,
        secondsLeft: rowsLeft / samplesPerSecond,
      });
    }
    if (step + 1 === steps) break;
    const goesOn = await pacer.afterStep(() => capture({ epoch, step: step + 1, random: random.state() }));
    if (!goesOn) return false;
  }
  hooks.balance({ phase, epoch: epoch + 1, weights: learner.epochWeights() });
  pacer.rest(() => capture({ epoch, step: steps, random: null }));
  return true;
}

export interface FitOptions extends Omit<EpochOptions, "place" | "epochs" | "capture"> {
  readonly maxEpochs: number;
  /** Epochs without a better score before it stops; 0 stops at the first. */
  readonly patience: number;
  /** How far below the best score an epoch may stay and still be kept for being the later one. */
  readonly selectionTolerance: number;
  readonly selection: Selection;
  /** Metrics of the validation split with the weights that would be kept: `learner.kept()`. */
  readonly validate: () => Promise<readonly CellMetric[]>;
  /** Of the backbone with those weights, for the record; empty where it has none. */
  readonly statistics: () => Promise<readonly BackboneStatistic[]>;
  /** Where an earlier attempt was; absent: at the beginning. The learner is there already. */
  readonly from?: { readonly place: Place; readonly stopping: StoppingState; readonly kept: NamedArrays };
  /** The state to be saved with `kept` as its model. */
  readonly capture: (place: Place, stopping: StoppingState, kept: NamedArrays) => SavedTraining;
}

export interface FitResult {
  readonly kept: NamedArrays;
  readonly stopReason: StopReason;
}

/**
 * Trains until the score of the validation split has not risen for more than `patience` epochs, or the budget is used
 * up. Keeps the weights of the last epoch that came within `selectionTolerance` of the best one before it; with 0, of
 * the best epoch itself.
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { maxEpochs, patience, selectionTolerance, selection, from, capture, ...rest } = options;
  const { validate, statistics: statisticsNow, ...epochOptions } = rest;
  const { learner, hooks, pacer, phase } = epochOptions;
  let place = from?.place ?? theBeginning;
  let stopping = from?.stopping ?? notBegun;
  let kept = from?.kept ?? copied(learner.kept());
  const ended = (epochs: number): StopReason | undefined =>
    pacer.ended(epochs, maxEpochs) ?? (isExhausted(stopping, epochs, patience) ? "EARLY_STOPPING" : undefined);

  // Without a measured epoch the weights of now are the best there are.
  const best = (): NamedArrays => (place.epoch === 0 ? copied(learner.kept()) : kept);

  for (;;) {
    const stopReason = ended(place.epoch);
    if (stopReason) return { kept: best(), stopReason };
    pacer.beforeEpoch(place);
    const isWhole = await trainEpoch({
      ...epochOptions,
      place,
      epochs: maxEpochs,
      capture: (at) => capture(at, stopping, kept),
    });
    if (!isWhole) return { kept: best(), stopReason: "BUDGET_SECONDS" };
    const metrics = await validate();
    const statistics = await statisticsNow();
    const score = scoreOf(metrics, selection);
    const epoch = place.epoch + 1;
    hooks.metrics({ summary: { phase, epoch, epochs: maxEpochs, meanAuc: meanAuc(metrics), score }, metrics });
    if (statistics.length > 0) hooks.statistics({ phase, epoch, statistics });
    if (score === null || stopping.best === null || score > stopping.best - selectionTolerance)
      kept = copied(learner.kept());
    stopping = afterEpoch(stopping, place.epoch, score, selection);
    place = { epoch, step: 0, random: null };
    await pacer.afterEpoch(epoch, ended(epoch) !== undefined, () => capture(place, stopping, kept));
  }
}

function diverged(what: string, phase: string, epoch: number, step: number): DivergedError {
  const place = `epoch ${epoch + 1}, step ${step + 1}`;
  return new DivergedError(`${phase}: ${what} is not finite any more in ${place}`, {
    received: what,
    hint: "train again with a lower learning rate",
  });
}

/** Draws hard gates [rows, 4T] for the first rows of the batch. */
function drawGates({ scenario, gates }: LearnerBatch, rows: number, removal: Float64Array, random: Random): void {
  const width = gates.length / scenario.length;
  for (let row = 0; row < rows; row++) {
    const first = scenario[row]! * width;
    for (let j = 0; j < width; j++) gates[row * width + j] = Number(random.uniform() < removal[first + j]!);
  }
}

/** Copies the gates [width] of the ordered rows to the front of `into`. */
function fillGates(gates: Uint8Array, width: number, order: Uint32Array, into: Float32Array): void {
  for (const [i, row] of order.entries()) for (let j = 0; j < width; j++) into[i * width + j] = gates[row * width + j]!;
}
