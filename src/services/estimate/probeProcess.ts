/**
 * The entry of the process a probe runs in. A process rather than a thread, because what is tried may be more than memory
 * holds, and because only a process can tell how much it needed.
 */
import { ProductError } from "../../errors.ts";
import type { ErrorCode, ErrorDetail } from "../../errors.ts";
import type { MeasuredProbe, ProbeOrder } from "./measureProbe.ts";

/** What the process answers. `code` is absent for a fault of ours. */
export type ProbeMessage =
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
  return { kind: "DONE", probe: await measureProbe(order, emptyBytes) };
}

function failed(error: unknown): ProbeMessage {
  if (error instanceof ProductError)
    return { kind: "FAILED", code: error.code, message: error.message, detail: error.detail };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "FAILED", message, detail: {} };
}
