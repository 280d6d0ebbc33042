/**
 * Notices code of a plugin in a thread that does not come to its end. The thread and its parent share two numbers for each
 * plugin: what it is at, and how often it was at something. So being watched costs nothing, and a thread that hangs tells it.
 */
import { PluginError } from "../../errors.ts";
import { pluginSteps, type PluginStep, type PluginWatch } from "../../plugin/guard.ts";
import type { PluginSource } from "../../plugin/registry.ts";

/** [plugins · 2]: 0 or 1 + the index of the step, and the number of steps begun. */
export type SharedWatch = Int32Array;

export function sharedWatch(plugins: number): SharedWatch {
  return new Int32Array(new SharedArrayBuffer(plugins * 2 * Int32Array.BYTES_PER_ELEMENT));
}

/** The thread's side, for the plugin of that place. */
export function watchOf(shared: SharedWatch, place: number): PluginWatch {
  return {
    enter(step) {
      Atomics.add(shared, 2 * place + 1, 1);
      Atomics.store(shared, 2 * place, 1 + pluginSteps.indexOf(step));
    },
    leave: () => void Atomics.store(shared, 2 * place, 0),
  };
}

export interface WatchOptions {
  /** By place. */
  readonly sources: readonly PluginSource[];
  /** What a step may take. */
  readonly seconds: number;
  /** Told once, of the first that takes longer. */
  stuck(error: PluginError, place: number): void;
}

/** The parent's side. Gives what ends it. */
export function watchOver(shared: SharedWatch, { sources, seconds, stuck }: WatchOptions): () => void {
  const interval = Math.min(1000, (seconds * 1000) / 4);
  const seen = sources.map(() => ({ count: 0, looks: 0 }));
  // Looks are counted rather than time, which also passes while the machine sleeps.
  const timer = setInterval(() => {
    for (const [place, source] of sources.entries()) {
      const step = Atomics.load(shared, 2 * place);
      const count = Atomics.load(shared, 2 * place + 1);
      const last = seen[place]!;
      last.looks = step > 0 && count === last.count ? last.looks + 1 : 0;
      last.count = count;
      if (last.looks * interval < seconds * 1000) continue;
      clearInterval(timer);
      return stuck(lateError(source, pluginSteps[step - 1]!, seconds), place);
    }
  }, interval).unref();
  return () => clearInterval(timer);
}

export function lateError({ label }: PluginSource, step: PluginStep, seconds: number): PluginError {
  return new PluginError(`${label}: ${step} did not end within ${seconds} s`);
}
