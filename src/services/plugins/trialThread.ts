/** The entry of the thread that plugins are tried in, one after the other. */
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
  parentPort!.postMessage(report);
}
