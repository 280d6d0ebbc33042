/** The entry of a prediction thread: holds models, and answers the batches that the pool sends. It never touches the store. */
import { parentPort, workerData } from "node:worker_threads";
import type { BackbonePlugin } from "../../plugin/contract.ts";
import { importPlugin, pluginSource } from "../../plugin/registry.ts";
import { watchOf } from "../plugins/pluginWatch.ts";
import type { ServingData } from "./beginServing.ts";
import { createModelHost } from "./modelHost.ts";
import { openModel } from "./openModel.ts";
import type { PoolOrder } from "./poolMessages.ts";

const { sources, watch } = workerData as ServingData;
const plugins = new Map<string, Promise<BackbonePlugin>>();

/** Throws NotFoundError where it is not installed. */
function pluginOf(name: string): Promise<BackbonePlugin> {
  const source = pluginSource(new Map(sources), name);
  const place = sources.findIndex(([other]) => other === name);
  const plugin = plugins.get(name) ?? importPlugin(source, watchOf(watch, place));
  plugins.set(name, plugin);
  return plugin;
}

const carryOut = createModelHost({
  // There is a thread of ours for each part of the machine; more for one graph would wait for each other, and busily.
  open: async (files) => openModel(files, new Map([[files.backbone, await pluginOf(files.backbone)]]), { threads: 1 }),
  tell: (report, moved) => parentPort!.postMessage(report, moved),
});

parentPort!.on("message", (order: PoolOrder) => void carryOut(order));
