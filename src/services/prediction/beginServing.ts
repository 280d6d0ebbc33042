/** Begins threads for the pool, and ends one in which a plugin does not come to its end. */
import type { PluginSource } from "../../plugin/registry.ts";
import { beginThread } from "../beginThread.ts";
import { type SharedWatch, sharedWatch, watchOver } from "../plugins/pluginWatch.ts";
import type { BeginThread, HungPlugin } from "./threadLine.ts";

/** What the thread is begun with. */
export interface ServingData {
  /** The backbones by name. */
  readonly sources: readonly (readonly [name: string, source: PluginSource])[];
  readonly watch: SharedWatch;
}

/** `sources`: where they import the backbones from; `pluginSeconds`: what a step of one may take. */
export function servingThreads(sources: ReadonlyMap<string, PluginSource>, pluginSeconds: number): BeginThread {
  return ({ report, ended }) => {
    const data: ServingData = { sources: [...sources], watch: sharedWatch(sources.size) };
    const thread = beginThread(import.meta.url, "servingThread", data);
    let isOver = false;
    const end = (reason: string, hung?: HungPlugin): void => {
      if (!isOver) ended(reason, hung);
      isOver = true;
      endWatch();
    };
    const endWatch = watchOver(data.watch, {
      sources: data.sources.map(([, source]) => source),
      seconds: pluginSeconds,
      stuck(error, place) {
        end(error.message, { backbone: data.sources[place]![0], error });
        void thread.terminate();
      },
    });
    thread.on("message", report);
    thread.once("error", ({ message }: Error) => end(message));
    thread.once("exit", (code) => end(`exit code ${code}`));
    return {
      post: (order) => thread.postMessage(order),
      async end() {
        await thread.terminate();
      },
    };
  };
}
