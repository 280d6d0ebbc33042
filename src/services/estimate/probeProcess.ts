/**
 * The entry of the process a probe runs in. A process rather than a thread, because what is tried may be more than memory
 * holds, and because only a process can tell how much it needed.
 */
import { ProductError } from "../../errors.ts";
import type { ErrorCode, ErrorDetail } from "../../errors.ts";
import type { PluginStep, PluginWatch } from "../../plugin/guard.ts";
import type { MeasuredProbe, ProbeOrder } from "./measureProbe.ts";

/** What the process says, DONE or FAILED last. `code` is absent for a fault of ours. */
export type ProbeMessage =
  /** What the plugin is at; null: nothing any more. */
  | { readonly kind: "PLUGIN"; readonly step: PluginStep | null }
  | { readonly kind: "DONE"; readonly probe: MeasuredProbe }
  | { readonly kind: "FAILED"; readonly code?: ErrorCode; readonly message: string; readonly detail: ErrorDetail };

process.once("disconnect", () => process.exit());
process.once("message", (order: ProbeOrder) => {
  carryOut(order)
    .catch(failed)
    .then((message) => process.send!(message));
});

async function carryOut(order: ProbeOrder): Promise<ProbeMessage> {
  const emptyBytes = process.memoryUsage.rss();
  // The libraries are a part of what a training needs: its thread loads them anew.
  const { measureProbe } = await import("./measureProbe.ts");
  const tell = (step: PluginStep | null): void => void process.send!({ kind: "PLUGIN", step } satisfies ProbeMessage);
  const watch: PluginWatch = { enter: tell, leave: () => tell(null) };
  return { kind: "DONE", probe: await measureProbe(order, emptyBytes, watch) };
}

function failed(error: unknown): ProbeMessage {
  if (error instanceof ProductError)
    return { kind: "FAILED", code: error.code, message: error.message, detail: error.detail };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "FAILED", message, detail: {} };
}
