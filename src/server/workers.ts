/**
 * The worker processes of this server: begun with it, ended with it, begun again when they die. What a worker does is
 * not known here.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import type { Observation } from "../observe/observation.ts";
import { programFile } from "../programFile.ts";

/** The lowest priority there is: training takes what the API leaves. At 10 the slowest answers took a third longer. */
export const niceness = 19;
const shortestPause = 500;
const longestPause = 5_000;
/** A worker that lived this long was well; the next one is begun at once again. */
const healthyAfter = 60_000;
/**
 * After this a worker that was asked to end is killed; its job goes back to the queue when the lease lapses. A large
 * training takes some seconds to save itself.
 */
const patience = 30_000;

export interface Workers {
  /** Asks every worker to end and waits until all have. */
  stop(): Promise<void>;
}

export function startWorkers(config: Config, { log, metrics }: Pick<Observation, "log" | "metrics">): Workers {
  let stopping = false;
  const living = new Set<ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();

  const begin = (pause: number): void => {
    const child = forkWorker(config);
    const begun = Date.now();
    living.add(child);
    metrics.workerBegan();
    const ended = (how: string): void => {
      // Where it cannot be begun there is an error instead of an exit.
      if (!living.delete(child)) return;
      metrics.workerEnded(stopping);
      if (stopping) return;
      const next = Date.now() - begun > healthyAfter ? shortestPause : pause;
      log.warn(`worker ${child.pid ?? "-"} ended (${how}); the next one begins in ${next / 1000} s`);
      const timer = setTimeout(() => {
        timers.delete(timer);
        begin(Math.min(next * 2, longestPause));
      }, next);
      timers.add(timer);
    };
    child.once("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
    child.once("error", (error) => ended(error.message));
  };

  for (let i = 0; i < config.workers; i++) begin(shortestPause);

  return {
    async stop() {
      stopping = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...living].map(end));
    },
  };
}

function forkWorker(config: Config): ChildProcess {
  const { url, execArgv } = programFile(import.meta.url, "../worker");
  const child = fork(fileURLToPath(url), [JSON.stringify(config)], {
    execArgv: [...execArgv],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  if (child.pid !== undefined) setPriority(child.pid, niceness);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), patience);
  await ended;
  clearTimeout(killer);
}
