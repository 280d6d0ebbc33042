/** Where a training's time went. */
import type { Engine } from "../engine/engine.ts";
import type { TrainingTimings } from "./events.ts";

export class Stopwatch {
  readonly #started = performance.now();
  readonly #spent = { compile: 0, evaluate: 0 };

  async time<T>(what: "compile" | "evaluate", work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#spent[what] += performance.now() - started;
    }
  }

  /** `spent`: seconds that earlier attempts needed, which count as training. */
  timings(spent: number): TrainingTimings {
    const total = performance.now() - this.#started + spent * 1000;
    return { total, ...this.#spent, train: total - this.#spent.compile - this.#spent.evaluate };
  }
}

/** The same engine; compiling counts on the stopwatch. */
export function timedEngine(engine: Engine, stopwatch: Stopwatch): Engine {
  return { name: engine.name, compile: (...what) => stopwatch.time("compile", () => engine.compile(...what)) };
}
