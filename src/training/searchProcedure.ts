/**
 * The search phase: with gates of rows weights and soft gates together, while the temperature hardens the gates (spec §6);
 * with gates of cells the weights alone, and the gates are measured after every epoch (measuredGates.ts).
 */
import { copied, type NamedArrays } from "../model/checkpoint.ts";
import { scoreOf } from "./earlyStopping.ts";
import { type EpochOptions, theBeginning, trainEpoch } from "./epochs.ts";
import { meanAuc } from "./evaluate.ts";
import type { BackboneStatistic, CellMetric, StopReason } from "./events.ts";
import type { HyperParameters } from "./hyperParameters.ts";
import type { Place, SavedTraining } from "./trainingState.ts";

export interface SearchResult {
  /** Weights, embedding, gates and buffers after the last epoch. */
  readonly final: NamedArrays;
  /** The same after `rewindEpoch` epochs, or at the start where it did not come so far; retrain starts from its weights. */
  readonly rewind: NamedArrays;
  /** Of the last epoch that was begun. */
  readonly temperature: number;
  readonly stopReason: StopReason;
}

export interface SearchOptions extends Omit<
  EpochOptions,
  "place" | "epochs" | "phase" | "batchSize" | "shuffle" | "fieldDropout" | "capture" | "removal"
> {
  /** All arrays as they are now: the learner's and, where it does not train them, the gates. Views. */
  readonly current: () => NamedArrays;
  /** Probabilities of an epoch (from 0) with which rows leave out flows; only with gates of cells. */
  readonly removal?: (epoch: number) => Float64Array;
  readonly hyperParameters: HyperParameters;
  /** Metrics of the validation split with soft gates at the given temperature after `epoch` epochs; for the record only. */
  readonly validate: (temperature: number, epoch: number) => Promise<readonly CellMetric[]>;
  /** Of the backbone as it is now, for the record; empty where it has none. */
  readonly statistics: () => Promise<readonly BackboneStatistic[]>;
  /** Where an earlier attempt was; absent: at the beginning. The learner is there already. */
  readonly from?: { readonly place: Place; readonly rewind: NamedArrays };
  /** The state to be saved; gates are at `temperature`. */
  readonly capture: (place: Place, rewind: NamedArrays, temperature: number) => SavedTraining;
}

export async function search(options: SearchOptions): Promise<SearchResult> {
  const { hyperParameters, from, capture, current, removal, ...rest } = options;
  const { validate, statistics: statisticsNow, ...epochOptions } = rest;
  const { learner, hooks, pacer } = epochOptions;
  const { batchSize, shuffle, fieldDropout, selection } = hyperParameters;
  const { epochs, rewindEpoch, finalTemperature } = hyperParameters.search;
  let place = from?.place ?? theBeginning;
  let rewind = from?.rewind ?? copied(current());
  const resultAt = (epoch: number, stopReason: StopReason): SearchResult => {
    const temperature = temperatureAt(Math.max(epoch, 0), epochs, finalTemperature);
    return { final: copied(current()), rewind, temperature, stopReason };
  };

  for (;;) {
    const stopReason = pacer.ended(place.epoch, epochs);
    if (stopReason) return resultAt(place.step > 0 ? place.epoch : place.epoch - 1, stopReason);
    pacer.beforeEpoch(place);
    if (place.epoch === rewindEpoch && place.step === 0) rewind = copied(current());
    const temperature = temperatureAt(place.epoch, epochs, finalTemperature);
    learner.temperature[0] = temperature;
    const isWhole = await trainEpoch({
      ...epochOptions,
      phase: "search",
      place,
      epochs,
      batchSize,
      shuffle,
      fieldDropout,
      ...(removal ? { removal: removal(place.epoch) } : {}),
      capture: (at) => capture(at, rewind, temperature),
    });
    if (!isWhole) return resultAt(place.epoch, "BUDGET_SECONDS");
    const epoch = place.epoch + 1;
    const metrics = await validate(temperature, epoch);
    const statistics = await statisticsNow();
    const score = scoreOf(metrics, selection);
    hooks.metrics({ summary: { phase: "search", epoch, epochs, meanAuc: meanAuc(metrics), score }, metrics });
    if (statistics.length > 0) hooks.statistics({ phase: "search", epoch, statistics });
    place = { epoch, step: 0, random: null };
    const isLast = pacer.ended(epoch, epochs) !== undefined;
    await pacer.afterEpoch(epoch, isLast, () => capture(place, rewind, temperature));
  }
}

/** τ_e = final^(e / (E − 1)): 1 in the first epoch, `final` in the last; 1 when there is only one. */
export function temperatureAt(epoch: number, epochs: number, final: number): number {
  return epochs === 1 ? 1 : final ** (epoch / (epochs - 1));
}
