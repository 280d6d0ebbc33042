/** The server with its workers as processes that can be killed with -9 and begun again over the same folder. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface KillableServer {
  /** Changes with every begin. */
  url(): string;
  killWorkers(): void;
  /** Kills the server too, and begins another; resolves when that is ready. */
  killServer(options: { readonly andWorkers: boolean }): Promise<void>;
  /** Asks it to end and waits until it has. */
  close(): Promise<void>;
}

export async function startKillableServer(environment: Readonly<Record<string, string>>): Promise<KillableServer> {
  let { server, url } = await begin(environment);
  return {
    url: () => url,
    killWorkers: () => killAll(workersOf(server)),
    async killServer({ andWorkers }) {
      const workers = andWorkers ? workersOf(server) : [];
      const ended = once(server, "exit");
      server.kill("SIGKILL");
      killAll(workers);
      await ended;
      ({ server, url } = await begin(environment));
    },
    async close() {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    },
  };
}

async function begin(environment: Readonly<Record<string, string>>): Promise<{ server: ChildProcess; url: string }> {
  const options = ["--import", "tsx", "--conditions", "autoifs-source", "src/server.ts"];
  const env = { ...process.env, ...environment, AUTOIFS_PORT: "0" };
  const server = spawn(process.execPath, options, { env, stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface(server.stdout)) {
    const url = /^autoifs is ready at (\S+)\/graphql$/.exec(line)?.[1];
    if (url) return { server, url };
  }
  throw new Error("kills: the server ended before it was ready");
}

function workersOf({ pid }: ChildProcess): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid), "-f", "worker.ts"], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
