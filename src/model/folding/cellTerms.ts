/**
 * What a cell's gates leave of a head whose flows are effects, as a sum over y(a, b), the logit with the scenario's own
 * maps (a) and the task's (b) in or out. With k = 1 − gate the logit Σ k_i·f_i is
 *
 *     k1·y(1,1) + (k3 − k1)·y(1,0) + (k2 − k1)·y(0,1) + (k0 + k1 − k2 − k3)·y(0,0)
 */

/** The gate of flow i in the cell of scenario k and task m; 1 removes. */
export type CellGate = (k: number, m: number, i: number) => number;

/** With the scenario's own maps, or without. */
export type Side = "in" | "out";

export interface CellTerms {
  /** Scenarios whose own maps count; those of the others are as good as none. */
  readonly own: readonly number[];
  /** Whether a scenario needs y(0, ·) beside y(1, ·). */
  readonly needsOut: boolean;
  /** Whether some flow is kept somewhere. */
  readonly keepsAny: boolean;
  /** The factor of y(side, b) in the logit of scenario k and task m. */
  factor(k: number, m: number, side: Side, b: 0 | 1): number;
}

/**
 * Where all tasks leave the own maps of a scenario out, that scenario is one without own maps: its y(1, ·) is its y(0, ·),
 * so that only scenarios that need both have two.
 */
export function cellTerms(gate: CellGate, scenarios: readonly number[], tasks: readonly number[]): CellTerms {
  const inner = (k: number, m: number, side: Side, b: 0 | 1): number => {
    const [g0, g1, g2, g3] = [gate(k, m, 0), gate(k, m, 1), gate(k, m, 2), gate(k, m, 3)];
    if (side === "in") return b === 1 ? 1 - g1 : g1 - g3;
    return b === 1 ? g1 - g2 : g2 + g3 - g0 - g1;
  };
  const needs = (k: number, side: Side): boolean =>
    tasks.some((m) => inner(k, m, side, 0) !== 0 || inner(k, m, side, 1) !== 0);
  const own = scenarios.filter((k) => needs(k, "in"));
  return {
    own,
    needsOut: own.some((k) => needs(k, "out")),
    keepsAny: scenarios.some((k) => needs(k, "in") || needs(k, "out")),
    factor(k, m, side, b) {
      if (own.includes(k)) return inner(k, m, side, b);
      return side === "in" ? inner(k, m, "out", b) : 0;
    },
  };
}
