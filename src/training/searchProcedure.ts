/** The search phase (spec §6): weights and soft gates together, while the temperature hardens the gates. */
import { copied, type NamedArrays } from "../model/checkpoint.ts";
import { trainEpoch } from "./epochs.ts";
import type { CellMetric } from "./events.ts";
import type { HyperParameters } from "./hyperParameters.ts";
import type { EpochOptions } from "./epochs.ts";

export interface SearchResult {
  /** Weights, embedding, gates and buffers after the last epoch. */
  readonly final: NamedArrays;
  /** The same after `rewindEpoch` epochs; retrain starts from its weights. */
  readonly rewind: NamedArrays;
}

export interface SearchOptions extends Omit<
  EpochOptions,
  "epoch" | "epochs" | "phase" | "batchSize" | "shuffle" | "fieldDropout"
> {
  readonly hyperParameters: HyperParameters;
  /** Metrics of the validation split with soft gates at the given temperature; for the record only. */
  readonly validate: (temperature: number) => Promise<readonly CellMetric[]>;
}

export async function search({ hyperParameters, validate, ...options }: SearchOptions): Promise<SearchResult> {
  const { learner, hooks } = options;
  const { batchSize, shuffle, fieldDropout } = hyperParameters;
  const { epochs, rewindEpoch, finalTemperature } = hyperParameters.search;
  let rewind = copied(learner.current());
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (epoch === rewindEpoch) rewind = copied(learner.current());
    const temperature = temperatureAt(epoch, epochs, finalTemperature);
    learner.temperature[0] = temperature;
    await trainEpoch({ ...options, phase: "search", epoch, epochs, batchSize, shuffle, fieldDropout });
    hooks.metrics({ epoch: epoch + 1, metrics: await validate(temperature) });
  }
  return { final: copied(learner.current()), rewind };
}

/** τ_e = final^(e / (E − 1)): 1 in the first epoch, `final` in the last; 1 when there is only one. */
export function temperatureAt(epoch: number, epochs: number, final: number): number {
  return epochs === 1 ? 1 : final ** (epoch / (epochs - 1));
}
