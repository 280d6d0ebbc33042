/** Which epoch's model is the best, and when to stop waiting for a better one, by a declared metric of the validation split. */
import type { CellMetric } from "./events.ts";
import type { Selection } from "./hyperParameters.ts";

export interface StoppingState {
  /** The best score of any epoch; null before the first. */
  readonly best: number | null;
  /** The score that the patience counts from, and the epoch that had it, from 0. */
  readonly reference: number | null;
  readonly referenceEpoch: number;
}

export const notBegun: StoppingState = { best: null, reference: null, referenceEpoch: -1 };

/** The value to be raised: of logloss the negative. Null where no cell has the metric. */
export function scoreOf(metrics: readonly CellMetric[], { metric, over, weights }: Selection): number | null {
  const cells = metrics.flatMap(({ name, scenario, task, value }) =>
    name === metric && value !== null && Number.isFinite(value) ? [{ scenario, task, value }] : [],
  );
  const sign = metric === "logloss" ? -1 : 1;
  const scores = cells.map(({ value }) => sign * value);
  if (scores.length === 0) return null;
  switch (over) {
    case "MEAN":
      return scores.reduce((sum, x) => sum + x, 0) / scores.length;
    case "WORST":
      return Math.min(...scores);
    case "WEIGHTED": {
      const weightOf = (cell: { scenario: string; task: string }): number =>
        weights.find(({ scenario, task }) => scenario === cell.scenario && task === cell.task)?.weight ?? 0;
      const sum = cells.reduce((total, cell) => total + weightOf(cell), 0);
      return sum === 0 ? null : cells.reduce((total, cell, i) => total + weightOf(cell) * scores[i]!, 0) / sum;
    }
    default:
      return over satisfies never;
  }
}

/** After epoch `epoch` (from 0). A score that does not exist changes nothing: then nothing stops the training early. */
export function afterEpoch(
  state: StoppingState,
  epoch: number,
  score: number | null,
  { minimumDifference }: Selection,
): StoppingState {
  if (score === null) return state;
  const rises = state.reference === null || score > state.reference + minimumDifference;
  return {
    best: state.best === null ? score : Math.max(state.best, score),
    reference: rises ? score : state.reference,
    referenceEpoch: rises ? epoch : state.referenceEpoch,
  };
}

/** True where more than `patience` epochs have gone by without a rise. */
export function isExhausted(
  { reference, referenceEpoch }: StoppingState,
  epochsDone: number,
  patience: number,
): boolean {
  return reference !== null && epochsDone - 1 - referenceEpoch > patience;
}
