/**
 * Asynchronous successive halving (Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020,
 * algorithm 2): which trials go on, which are begun, and which are given up. A pure function of the trials' scores.
 */

/** Trials that failed or were ended by hand are left out: they compete with nobody. */
export interface AshaTrial {
  readonly id: string;
  /** The score at each rung it has reached, the lowest rung first, higher is better; null where it has none. */
  readonly scores: readonly (number | null)[];
  /** WAITING: not begun. BUSY: trains towards its next rung. HELD: waits at its last one. ENDED: trained to its end. */
  readonly state: "WAITING" | "BUSY" | "HELD" | "ENDED";
}

export interface AshaOptions {
  /** Of the trials that have reached a rung, one in so many goes on. */
  readonly reductionFactor: number;
  /** Trials that may become BUSY now. */
  readonly slots: number;
}

/** Ids. */
export interface AshaDecision {
  readonly promote: readonly string[];
  readonly begin: readonly string[];
  readonly stop: readonly string[];
}

/**
 * A trial goes on when it is among the best 1 / reductionFactor of those that have reached its rung so far, higher rungs
 * first; where none is, a new one is begun. Where nothing else can happen any more, the best trial of the highest rung
 * goes on if none has been trained to its end there, so that a sweep ends with a model; else the others are given up.
 */
export function ashaDecision(trials: readonly AshaTrial[], { reductionFactor, slots }: AshaOptions): AshaDecision {
  const highest = Math.max(...trials.map(({ scores }) => scores.length), 0) - 1;
  const promotable: AshaTrial[] = [];
  for (let rung = highest; rung >= 0; rung--) {
    const reached = ranked(trials, rung);
    const best = reached.slice(0, Math.floor(reached.length / reductionFactor));
    promotable.push(...best.filter((trial) => isHeldAt(trial, rung)));
  }
  const waiting = trials.filter(({ state }) => state === "WAITING");
  const promote = promotable.slice(0, slots);
  const begin = waiting.slice(0, slots - promote.length);
  if (promotable.length + waiting.length > 0 || trials.some(({ state }) => state === "BUSY")) {
    return { promote: ids(promote), begin: ids(begin), stop: [] };
  }
  const leaders = ranked(trials, highest);
  const leader = leaders[0];
  if (leader?.state === "HELD" && !leaders.some(({ state }) => state === "ENDED")) {
    return { promote: ids([leader].slice(0, slots)), begin: [], stop: [] };
  }
  return { promote: [], begin: [], stop: ids(trials.filter(({ state }) => state === "HELD")) };
}

/** Those that have a score at the rung, the best first; of equal ones the earlier. */
function ranked(trials: readonly AshaTrial[], rung: number): AshaTrial[] {
  const scoreOf = ({ scores }: AshaTrial): number => scores[rung]!;
  return trials.filter(({ scores }) => (scores[rung] ?? null) !== null).toSorted((a, b) => scoreOf(b) - scoreOf(a));
}

function isHeldAt({ state, scores }: AshaTrial, rung: number): boolean {
  return state === "HELD" && scores.length === rung + 1;
}

function ids(trials: readonly AshaTrial[]): string[] {
  return trials.map(({ id }) => id);
}
