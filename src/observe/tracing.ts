/**
 * Traces: how long each part of a request or of a job took. Off unless the installation names a receiver: then nothing of
 * OpenTelemetry is loaded, and every part is done as if this file did not exist.
 */
import type { Logger } from "./logger.ts";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  /** For what is known only when the work is under way. */
  rename(name: string): void;
  describe(attributes: SpanAttributes): void;
  /** Marks it as failed; a work that throws is marked by itself. */
  fail(): void;
  /** Something that was a part of it and is over. Times as of `Date.now()`. */
  past(name: string, times: { readonly begun: number; readonly ended: number }, attributes?: SpanAttributes): void;
}

export interface SpanOptions {
  /** `server` and `consumer` begin something that was asked for elsewhere; default `internal`. */
  readonly kind?: "server" | "consumer" | "internal";
  readonly attributes?: SpanAttributes;
  /** The header of that name: the span of the caller. Where it is none that one can read, a new trace begins. */
  readonly traceparent?: string | undefined;
}

export interface Tracing {
  /** Does `work` in a span below the one in hand. Throws what `work` throws. */
  during<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

const span: Span = { rename: () => {}, describe: () => {}, fail: () => {}, past: () => {} };

export const noTracing: Tracing = {
  during: (_name, _options, work) => work(span),
  close: () => Promise.resolve(),
};

export interface TracingOptions {
  /** Address of an OTLP/HTTP receiver with its path, for example http://127.0.0.1:4318/v1/traces; "" for none. */
  readonly url: string;
  /** Which of our processes. */
  readonly process: "server" | "worker";
  readonly version: string;
  readonly log: Logger;
}
