/** The entry of a prediction thread: holds models, and answers the batches that the pool sends. It never touches the store. */
import { parentPort, workerData } from "node:worker_threads";
import { loadPlugins } from "../../plugin/registry.ts";
import { createModelHost } from "./modelHost.ts";
import { openModel } from "./openModel.ts";
import type { PoolOrder } from "./poolMessages.ts";

const { pluginsFolder } = workerData as { readonly pluginsFolder: string };
const plugins = loadPlugins(pluginsFolder);
// Whoever needs them hears of it.
plugins.catch(() => undefined);

const carryOut = createModelHost({
  // There is a thread of ours for each part of the machine; more for one graph would wait for each other, and busily.
  open: async (files) => openModel(files, (await plugins).plugins, { threads: 1 }),
  tell: (report, moved) => parentPort!.postMessage(report, moved),
});

parentPort!.on("message", (order: PoolOrder) => void carryOut(order));
