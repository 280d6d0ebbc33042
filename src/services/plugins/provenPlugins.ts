/**
 * Tries plugins in a thread before this process imports them: what throws, hangs or gives wrong shapes there is left out, and
 * the process has not been touched by it. One that hangs takes its thread along; the next one begins in another.
 */
import { pathToFileURL } from "node:url";
import type { Worker } from "node:worker_threads";
import { PluginError, type ProductError } from "../../errors.ts";
import type { PluginFailure, PluginSource } from "../../plugin/registry.ts";
import { beginThread } from "../beginThread.ts";
import type { SentError } from "../prediction/poolMessages.ts";
import { receivedError } from "../prediction/sentErrors.ts";
import { type SharedWatch, sharedWatch, watchOver } from "./pluginWatch.ts";

/** What the thread is begun with. */
export interface TrialOrder {
  readonly sources: readonly PluginSource[];
  readonly watch: SharedWatch;
}

/** Told of each plugin in turn; null: nothing is wrong with it. */
export type TrialReport = SentError | null;

export interface ProvenPlugins {
  readonly proven: readonly PluginSource[];
  readonly failures: readonly PluginFailure[];
}

/** `seconds`: what the import, the build and the recording of one plugin may take, each. */
export async function provenPlugins(sources: readonly PluginSource[], seconds: number): Promise<ProvenPlugins> {
  const proven: PluginSource[] = [];
  const failures: PluginFailure[] = [];
  while (proven.length + failures.length < sources.length) {
    const left = sources.slice(proven.length + failures.length);
    for (const [place, error] of (await tried(left, seconds)).entries()) {
      const source = left[place]!;
      if (error) failures.push({ from: source.from, error });
      else proven.push(source);
    }
  }
  return { proven, failures };
}

/** What is wrong with the first ones, until one that the thread did not survive; null: nothing. */
function tried(sources: readonly PluginSource[], seconds: number): Promise<(ProductError | null)[]> {
  const watch = sharedWatch(sources.length);
  const order: TrialOrder = { sources, watch };
  const thread: Worker = beginThread(import.meta.url, "trialThread", order);
  const found: (ProductError | null)[] = [];
  let endWatch = (): void => undefined;
  return new Promise<(ProductError | null)[]>((resolve, reject) => {
    const lose = (error: ProductError): void => resolve([...found, error]);
    endWatch = watchOver(watch, { sources, seconds, stuck: lose });
    thread.on("message", (report: TrialReport) => {
      found.push(report && (receivedError(report) as ProductError));
      if (found.length === sources.length) resolve(found);
    });
    const ended = (how: string, error?: Error): void => {
      // Before any plugin was at work it was not the fault of one.
      if (watch.every((number) => number === 0)) return reject(error ?? new Error(`trial of the plugins: ${how}`));
      // What one left behind, such as a timer, may throw in the turn of another.
      const isOf = ({ root }: PluginSource): boolean =>
        [root, pathToFileURL(root).href].some((folder) => error?.stack?.includes(`${folder}/`));
      const named = sources.findIndex(isOf);
      const guilty = named < 0 ? found.length : Math.min(named, found.length);
      const late = new PluginError(`${sources[guilty]!.label}: ended the thread it was tried in: ${how}`);
      if (guilty === found.length) lose(late);
      else resolve(found.with(guilty, late));
    };
    thread.once("error", (error) => ended(error.message, error));
    thread.once("exit", (code) => ended(`exit code ${code}`));
  }).finally(() => {
    endWatch();
    thread.removeAllListeners();
    return thread.terminate();
  });
}
