/** All that watches over one process: its log, its figures, its traces. */
import { createLogger } from "./logger.ts";
import type { LogFormat, Logger, LogLevel } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";
import { createRequests } from "./requests.ts";
import type { Requests } from "./requests.ts";
import { openTracing } from "./openTracing.ts";
import type { Tracing } from "./tracing.ts";

export interface Observation {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly requests: Requests;
  readonly tracing: Tracing;
  /** Sends what is left of the traces. */
  close(): Promise<void>;
}

export interface ObservationOptions {
  /** Which of our processes. */
  readonly process: "server" | "worker";
  readonly version: string;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  /** See TracingOptions. */
  readonly tracesUrl: string;
  /** Gets each line of the log; default: stderr. */
  readonly write?: (line: string) => void;
}

export async function openObservation(options: ObservationOptions): Promise<Observation> {
  const { process: name, version, logFormat: format, logLevel: level, tracesUrl: url, write } = options;
  const log = createLogger({
    format,
    level,
    fields: { process: name, pid: process.pid },
    ...(write ? { write } : {}),
  });
  const tracing = await openTracing({ url, process: name, version, log });
  return {
    log,
    metrics: createMetrics(version),
    // Whoever wants a line about every request wants to know of every request.
    requests: createRequests({ all: level === "debug" }),
    tracing,
    close: tracing.close,
  };
}
