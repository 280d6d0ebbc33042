/** Begins a thread from a file beside the caller, from the sources as from the build. */
import { Worker } from "node:worker_threads";
import { programFile } from "../programFile.ts";

/**
 * `caller` is its `import.meta.url`, `name` the file's name without its ending. Under Node 20 a thread does not get the
 * TypeScript loader of its process: from the sources it registers its own.
 */
export function beginThread(caller: string, name: string, workerData: unknown): Worker {
  const { url, fromSource } = programFile(caller, `./${name}`);
  if (!fromSource) return new Worker(url, { workerData });
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const code = `import(${loader}).then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); });`;
  // Plugins import their door by a name that means the sources only under this condition.
  return new Worker(code, { eval: true, workerData, execArgv: ["--conditions=autoifs-source"] });
}
