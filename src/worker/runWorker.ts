/** The work of a worker process, whoever has begun it: takes imports and trainings off the queue, one at a time. */
import { hostname } from "node:os";
import { observe, openApp } from "../app.ts";
import type { Config } from "../config.ts";

/** Works until `signal` aborts; what is being trained then is saved first. False where it came to an end by a fault, which is logged. */
export async function runWorker(config: Config, signal: AbortSignal): Promise<boolean> {
  const observation = await observe("worker", config);
  try {
    const app = await openApp(config, observation);
    await app.work(`${hostname()}:${process.pid}:${Date.now()}`, signal);
    await app.close();
    return true;
  } catch (error) {
    observation.log.error("the worker ends", { error });
    return false;
  } finally {
    await observation.close();
  }
}
