/** What a prune was asked to do, and when its model is refused. Plain data. */
import { PruneRefusedError } from "../errors.ts";
import type { CellChanges, Change } from "../metrics/pairedChange.ts";

export const granularities = ["ROW", "CELL"] as const;
/** ROW: gates row by row. CELL: the same gates for all rows of a scenario × task. */
export type Granularity = (typeof granularities)[number];

/** What each cell may lose on the validation split, the searched model with its soft gates being the measure. */
export interface AllowedLoss {
  /** By how much the AUC may fall; default: not looked at. */
  readonly auc?: number;
  /** By how much the log-loss may rise, in nats; default: not looked at. */
  readonly logloss?: number;
}

/** Either `threshold` or `target` is there. */
export interface PruneRule {
  readonly granularity: Granularity;
  /** A flow is removed where the gate the search ended with, σ(τw), is above this; the paper's rule is 0.5. */
  readonly threshold?: number;
  /** CELL only: as many flows as can go without the AUC of the cell falling by more than this, retraining aside. */
  readonly target?: { readonly auc: number };
  /** Absent: whatever comes of it is kept. */
  readonly allowedLoss?: AllowedLoss;
}

/** One scenario × task: the searched model before, another after. */
export interface CellChange extends CellChanges {
  readonly scenario: string;
  readonly task: string;
}

export interface Breach {
  readonly scenario: string;
  readonly task: string;
  readonly metric: "auc" | "logloss";
  readonly change: Change;
  /** How much the metric may get worse. */
  readonly allowed: number;
}

/**
 * Of the cells that lose more than is allowed, by the value and not its interval, the one that does so by most; null
 * where all keep to it. A metric that does not exist in a cell breaks nothing.
 */
export function worstBreach(changes: readonly CellChange[], { auc, logloss }: AllowedLoss): Breach | null {
  const breaches = changes.flatMap(({ scenario, task, ...change }) => [
    ...breach({ scenario, task, metric: "auc", change: change.auc }, auc),
    ...breach({ scenario, task, metric: "logloss", change: change.logloss }, logloss),
  ]);
  return breaches.reduce<Breach | null>(
    (worst, one) => (worst === null || excess(one) > excess(worst) ? one : worst),
    null,
  );
}

export function refusedPrune({ scenario, task, metric, change, allowed }: Breach): PruneRefusedError {
  const [name, verb] = metric === "auc" ? ["AUC", "fell"] : ["log-loss", "rose"];
  const size = (value: number): string => String(Number(Math.abs(value).toPrecision(4)));
  return new PruneRefusedError(
    `prune: the ${name} of ${scenario} × ${task} ${verb} by ${size(change.value!)} on the validation split, more than the ${size(allowed)} it may; the model is not kept`,
    {
      field: `allowedLoss.${metric}`,
      expected: `${metric === "auc" ? "a fall" : "a rise"} of at most ${allowed}`,
      received: String(Math.abs(change.value!)),
      hint: "remove fewer flows, allow more, or keep the searched model: it is as it was",
    },
  );
}

function breach(measured: Omit<Breach, "allowed">, allowed: number | undefined): Breach[] {
  const found = allowed === undefined ? null : { ...measured, allowed };
  return found !== null && excess(found) > 0 ? [found] : [];
}

/** How much worse it is than allowed; below 0 where it keeps to it. */
function excess({ metric, change, allowed }: Breach): number {
  return change.value === null ? -Infinity : (metric === "auc" ? -change.value : change.value) - allowed;
}
