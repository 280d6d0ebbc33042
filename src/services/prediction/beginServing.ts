/** Begins threads for the pool. */
import { beginThread } from "../beginThread.ts";
import type { BeginThread } from "./threadLine.ts";

/** `pluginsFolder`: where they load the backbones from. */
export function servingThreads(pluginsFolder: string): BeginThread {
  return ({ report, ended }) => {
    const thread = beginThread(import.meta.url, "servingThread", { pluginsFolder });
    let isOver = false;
    const end = (reason: string): void => {
      if (!isOver) ended(reason);
      isOver = true;
    };
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
