/** The entry of the thread that plugins are tried in, one after the other. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { sentError } from "../prediction/sentErrors.ts";
import { watchOf } from "./pluginWatch.ts";
import type { TrialOrder, TrialReport } from "./provenPlugins.ts";
import { tryPlugin } from "./tryPlugin.ts";

// While a plugin waits for something that never comes, nothing else keeps the thread alive.
parentPort!.on("message", () => undefined);

const { sources, watch } = workerData as TrialOrder;
for (const [place, source] of sources.entries()) {
  const report: TrialReport = await tryPlugin(source, watchOf(watch, place)).then(() => null, sentError);
  // A promise that it left behind, and that nobody waits for, ends the thread while the plugin's turn still lasts.
  await nextTurn();
  parentPort!.postMessage(report);
}
