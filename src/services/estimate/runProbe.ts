/** Begins the process of a probe and waits for what it measured. One at a time, so that they do not slow each other. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { ProductError, UnavailableError } from "../../errors.ts";
import type { PluginStep } from "../../plugin/guard.ts";
import { programFile } from "../../programFile.ts";
import { lateError } from "../plugins/pluginWatch.ts";
import type { MeasuredProbe, ProbeOrder } from "./measureProbe.ts";
import type { ProbeMessage } from "./probeProcess.ts";

/** As that of the workers: what is measured under load is then what a training would get. */
const niceness = 19;
/** Probes that may wait for the one that runs. */
const longestLine = 8;
/** Milliseconds. */
const patience = 120_000;

export interface Prober {
  /** Throws what the training throws; UnavailableError where the line is full, memory is short, or it takes too long. */
  probe(order: ProbeOrder): Promise<MeasuredProbe>;
}

export function createProber(): Prober {
  let line = Promise.resolve();
  let waiting = 0;
  return {
    async probe(order) {
      if (waiting > longestLine)
        throw new UnavailableError(`estimate: ${longestLine} estimates wait already`, {
          hint: "ask again in a minute",
        });
      waiting++;
      const turn = line.then(() => runProbe(order));
      line = turn.then(
        () => undefined,
        () => undefined,
      );
      return turn.finally(() => waiting--);
    },
  };
}

async function runProbe(order: ProbeOrder): Promise<MeasuredProbe> {
  const child = forkProbe();
  let late = false;
  let step: PluginStep | null = null;
  const killer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, patience);
  try {
    const answer = await new Promise<Exclude<ProbeMessage, { kind: "PLUGIN" }>>((resolve, reject) => {
      child.on("message", (message: ProbeMessage) => {
        if (message.kind === "PLUGIN") step = message.step;
        else resolve(message);
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        if (late && step) reject(lateError(order.plugin, step, patience / 1000));
        else reject(withoutAnswer(late, signal ?? `exit code ${code}`));
      });
      child.send(order);
    });
    if (answer.kind === "DONE") return answer.probe;
    if (answer.code) throw new ProductError(answer.code, answer.message, answer.detail);
    throw new Error(`probe: ${answer.message}`);
  } finally {
    clearTimeout(killer);
    child.kill("SIGKILL");
  }
}

function withoutAnswer(late: boolean, end: string): UnavailableError {
  return late
    ? new UnavailableError(`estimate: a few steps of this training take more than ${patience / 1000} s`)
    : new UnavailableError(`estimate: the trial ended with ${end}`, {
        hint: "probably this training needs more memory than there is",
      });
}

function forkProbe(): ChildProcess {
  const { url, execArgv } = programFile(import.meta.url, "./probeProcess");
  const child = fork(fileURLToPath(url), {
    execArgv: [...execArgv],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  if (child.pid !== undefined) setPriority(child.pid, niceness);
  return child;
}
