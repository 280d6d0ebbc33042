/** `autoifs worker`. */
import { setPriority } from "node:os";
import { loadConfig } from "../../config.ts";
import { niceness } from "../../server/workers.ts";
import { runWorker } from "../../worker/runWorker.ts";
import type { Command } from "../command.ts";

export const workerCommand: Command = {
  name: "worker",
  takes: [],
  summary: "Run a further worker on the data folder of a server",
  details:
    "It takes imports and trainings off the same queue until SIGTERM or Ctrl-C, and saves what it trains before it ends. Settings come from the environment, as for serve.",
  isLocal: true,
  example: "worker",
  async run({ env }) {
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      process.on(signal, () => {
        // Whoever asks a second time does not want to wait; the lease of what it trains lapses.
        if (stop.signal.aborted) process.exit(1);
        stop.abort();
      });
    }
    // As the workers of a server: training takes what the API leaves.
    setPriority(niceness);
    if (!(await runWorker(loadConfig(env), stop.signal))) process.exitCode = 1;
  },
};
