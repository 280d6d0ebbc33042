import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/random.ts";
import { ashaDecision } from "../../../src/services/experiment/ashaDecision.ts";
import type { AshaDecision, AshaTrial } from "../../../src/services/experiment/ashaDecision.ts";

const waiting = (id: string): AshaTrial => ({ id, state: "WAITING", scores: [] });
const held = (id: string, ...scores: (number | null)[]): AshaTrial => ({ id, state: "HELD", scores });
const busy = (id: string, ...scores: number[]): AshaTrial => ({ id, state: "BUSY", scores });
const ended = (id: string, ...scores: number[]): AshaTrial => ({ id, state: "ENDED", scores });

const decide = (trials: readonly AshaTrial[], slots = 100): AshaDecision =>
  ashaDecision(trials, { reductionFactor: 3, slots });

describe("ashaDecision", () => {
  it("begins trials while none can be promoted, as many as there are slots", () => {
    const trials = [waiting("a"), waiting("b"), waiting("c")];
    expect(decide(trials, 2)).toEqual({ promote: [], begin: ["a", "b"], stop: [] });
    expect(decide([held("a", 0.9), busy("b"), waiting("c")], 2)).toEqual({ promote: [], begin: ["c"], stop: [] });
    expect(decide(trials, 0)).toEqual({ promote: [], begin: [], stop: [] });
  });

  it("promotes the best third of those that have reached the rung so far, before it begins others", () => {
    const trials = [held("a", 0.6), held("b", 0.8), held("c", 0.7), waiting("d"), waiting("e")];
    expect(decide(trials, 1)).toEqual({ promote: ["b"], begin: [], stop: [] });
    expect(decide(trials, 2)).toEqual({ promote: ["b"], begin: ["d"], stop: [] });
  });

  it("counts those that went on as having reached the rungs they left", () => {
    const trials = [busy("a", 0.9), held("b", 0.8), held("c", 0.7), held("d", 0.6), held("e", 0.5)];
    // One third of five is one, and that one has been promoted.
    expect(decide(trials)).toEqual({ promote: [], begin: [], stop: [] });
    expect(decide([...trials, held("f", 0.4)]).promote).toEqual(["b"]);
  });

  it("promotes in the higher rungs first", () => {
    const trials = [held("a", 0.1, 0.1), held("b", 0.1, 0.3), held("c", 0.1, 0.2), held("d", 0.9), waiting("e")];
    expect(decide(trials, 1).promote).toEqual(["b"]);
    expect(decide(trials, 2)).toEqual({ promote: ["b", "d"], begin: [], stop: [] });
  });

  it("of equal scores takes the earlier trial, and never one without a score", () => {
    expect(decide([held("a", null), held("b", 0.5), held("c", 0.5), busy("d"), held("e", 0.1)]).promote).toEqual(["b"]);
    expect(decide([held("a", null), held("b", null), held("c", null)])).toEqual({
      promote: [],
      begin: [],
      stop: ["a", "b", "c"],
    });
  });

  it("waits for those that are busy before it gives up the others", () => {
    expect(decide([held("a", 0.5), held("b", 0.4), busy("c")])).toEqual({ promote: [], begin: [], stop: [] });
    expect(decide([held("a", 0.5), held("b", 0.4), ended("c", 0.6)])).toEqual({
      promote: [],
      begin: [],
      stop: ["a", "b"],
    });
  });

  it("sends the best one on where too few have come for a third of them, so that one is trained to its end", () => {
    expect(decide([held("a", 0.4), held("b", 0.5)])).toEqual({ promote: ["b"], begin: [], stop: [] });
    expect(decide([held("a", 0.4), held("b", 0.5, 0.6)])).toEqual({ promote: ["b"], begin: [], stop: [] });
    expect(decide([held("a", 0.4), ended("b", 0.5, 0.6)])).toEqual({ promote: [], begin: [], stop: ["a"] });
  });

  it("has nothing to decide without trials", () => {
    expect(decide([])).toEqual({ promote: [], begin: [], stop: [] });
  });
});

describe("ashaDecision, over whole sweeps of random scores", () => {
  const epochs = [1, 3, 9, 27];
  const sweeps = Array.from({ length: 60 }, (_, seed) => ({
    seed,
    trials: 1 + ((seed * 7) % 40),
    workers: 1 + (seed % 5),
  }));

  it("never sends a trial on past a better one of the same rung", () => {
    for (const sweep of sweeps) {
      simulate(sweep, "noisy", (trials, { promote, stop }) => {
        for (const id of promote) {
          const { scores } = trials.find((trial) => trial.id === id)!;
          const rung = scores.length - 1;
          const left = trials.filter(
            (trial) => trial.state === "HELD" && trial.scores.length === scores.length && !promote.includes(trial.id),
          );
          for (const other of left) expect(other.scores[rung]).toBeLessThanOrEqual(scores[rung]!);
        }
        // Nothing is given up for the sake of something: then nothing is begun or sent on.
        if (stop.length > 0) expect(promote).toEqual([]);
      });
    }
  });

  it("begins every trial, ends, and trains at least one to its end", () => {
    for (const sweep of sweeps) {
      const trials = simulate(sweep, "noisy");
      expect(trials.filter(({ state }) => state === "BUSY" || state === "WAITING" || state === "HELD")).toEqual([]);
      expect(trials.some(({ scores }) => scores.length === epochs.length)).toBe(true);
    }
  });

  it("trains the best trial to its end where scores do not lie", () => {
    for (const sweep of sweeps) {
      const trials = simulate(sweep, "true");
      const best = trials.toSorted((a, b) => b.scores[0]! - a.scores[0]!)[0]!;
      expect(best.scores).toHaveLength(epochs.length);
    }
  });

  it("spends far fewer epochs than training every trial to its end, and never more", () => {
    let [spent, whole] = [0, 0];
    for (const sweep of sweeps) {
      const own = simulate(sweep, "noisy").reduce((sum, { scores }) => sum + epochs[scores.length - 1]!, 0);
      expect(own).toBeLessThanOrEqual(sweep.trials * epochs.at(-1)!);
      spent += own;
      whole += sweep.trials * epochs.at(-1)!;
    }
    expect(spent / whole).toBeLessThan(0.3);
  });

  /** Trials end in random order; `workers` train at once. "true": a trial has one score at all rungs. */
  function simulate(
    { seed, trials: count, workers }: (typeof sweeps)[number],
    scoring: "noisy" | "true",
    check: (trials: readonly AshaTrial[], decision: AshaDecision) => void = () => undefined,
  ): (Omit<AshaTrial, "state"> & { readonly state: AshaTrial["state"] | "STOPPED" })[] {
    const random = createRandom(seed, "sweep");
    const quality = Array.from({ length: count }, () => random.uniform());
    let trials: AshaTrial[] = quality.map((_, i) => waiting(String(i)));
    const stopped = new Map<string, AshaTrial>();
    const change = (id: string, to: Partial<AshaTrial>): void => {
      trials = trials.map((trial) => (trial.id === id ? { ...trial, ...to } : trial));
    };
    for (;;) {
      const running = trials.filter(({ state }) => state === "BUSY");
      const decision = ashaDecision(trials, { reductionFactor: 3, slots: workers - running.length });
      check(trials, decision);
      for (const id of [...decision.promote, ...decision.begin]) change(id, { state: "BUSY" });
      for (const id of decision.stop)
        stopped.set(
          id,
          trials.find((trial) => trial.id === id)!,
        );
      trials = trials.filter(({ id }) => !stopped.has(id));
      const next = trials.filter(({ state }) => state === "BUSY");
      if (next.length === 0) break;
      const { id, scores } = next[Math.floor(random.uniform() * next.length)]!;
      const score = quality[Number(id)]! + (scoring === "noisy" ? 0.3 * random.normal() : 0);
      const isLast = scores.length === epochs.length - 1;
      change(id, { scores: [...scores, score], state: isLast ? "ENDED" : "HELD" });
    }
    return [...trials, ...[...stopped.values()].map((trial) => ({ ...trial, state: "STOPPED" as const }))];
  }
});
