/** Waits for the end of a run, and shows how far it is. The waiting may end before the run, never the other way round. */
import type { ResultOf } from "../client/index.ts";
import type { Call } from "./command.ts";
import { Interrupted } from "./command.ts";
import { progressLine } from "./progressLine.ts";

export type RunDetail = NonNullable<ResultOf<"run">>;

/** Throws Interrupted at Ctrl-C, with what to type to go on. */
export async function waitForRun(call: Call, id: string): Promise<RunDetail> {
  const interrupt = new AbortController();
  const line = progressLine(call.stderr);
  const stopListening = call.onInterrupt?.(() => interrupt.abort());
  try {
    for await (const event of call.client().follow(id, { signal: interrupt.signal })) {
      if (!call.isJson) line.show(event);
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new Interrupted(`${id} goes on. Follow it: autoifs run ${id} --wait. End it: autoifs cancel ${id}`);
  } finally {
    line.end();
    stopListening?.();
  }
  return (await call.client().run({ id }))!;
}
