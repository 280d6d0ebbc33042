/** Loads OpenTelemetry where traces are wanted, and nothing where they are not. */
import { noTracing } from "./tracing.ts";
import type { Tracing, TracingOptions } from "./tracing.ts";

export async function openTracing(options: TracingOptions): Promise<Tracing> {
  if (options.url === "") return noTracing;
  const { startTracing } = await import("./openTelemetry.ts");
  return startTracing(options);
}
