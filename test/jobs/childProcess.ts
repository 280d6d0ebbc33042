/** Runs a program of the tests in a Node process of its own, and reads the lines it prints. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { programFile } from "../builtProgram.ts";

export interface Child {
  readonly process: ChildProcess;
  /** The next line the program prints; rejects where it ends before. */
  nextLine(): Promise<string>;
  /** Waits for the end: exit code or signal, and everything on standard error. */
  end(): Promise<{ code: number | null; signal: string | null; stderr: string }>;
}

/** `program` is a file beside this one, without its ending, that test/tsconfig.build.json names. The process is killed after the test if it is still there. */
export function startChild(program: string, args: readonly string[]): Child {
  const { url } = programFile(import.meta.url, program);
  const child = spawn(process.execPath, [fileURLToPath(url), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));

  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, stderr })),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    async nextLine() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program}: expected another line, but it ended: ${(await ended).stderr}`);
      return value;
    },
    end: () => ended,
  };
}
