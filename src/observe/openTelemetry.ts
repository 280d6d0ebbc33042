/**
 * Tracing by OpenTelemetry, sent as OTLP over HTTP. Loaded only where it is wanted. Nothing is registered for the whole
 * process: two servers in one process trace apart from each other.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createContextKey, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import { ranChannel } from "../store/libsqlClient.ts";
import type { RanStatement } from "../store/libsqlClient.ts";
import type { Logger } from "./logger.ts";
import type { Span, Tracing, TracingOptions } from "./tracing.ts";

/** Spans of statements below one request; one that follows a run asks for hours. */
const mostStatements = 200;
/** Of one delivery, in milliseconds; also what a receiver that is gone may hold up the end of a process. */
const exportTimeout = 3_000;

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL };

export function startTracing({ url, process, version, log }: TracingOptions): Tracing {
  const exporter = saysWhenItFails(new OTLPTraceExporter({ url, timeoutMillis: exportTimeout }), url, log);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      "service.name": "autoifs",
      "service.version": version,
      "autoifs.process": process,
    }),
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: exportTimeout })],
  });
  const tracer = provider.getTracer("autoifs", version);
  const contexts = new AsyncLocalStorage<Context>();
  /** Set inside what began as a request: a job runs many more statements than anybody wants to see. */
  const statementsLeft = createContextKey("statements left");

  const pastBelow =
    (context: Context): Span["past"] =>
    (name, { begun, ended }, attributes = {}) =>
      tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes, startTime: begun }, context).end(ended);

  const traceStatement = (message: unknown): void => {
    const context = contexts.getStore();
    const left = context?.getValue(statementsLeft) as { count: number } | undefined;
    if (!context || !left || left.count === 0) return;
    left.count--;
    const { sql, milliseconds } = message as RanStatement;
    const ended = Date.now();
    pastBelow(context)(nameOf(sql), { begun: ended - milliseconds, ended }, { "db.system.name": "sqlite" });
  };
  ranChannel.subscribe(traceStatement);

  return {
    async during(name, { kind = "internal", attributes = {}, traceparent }, work) {
      const parent = remote(traceparent) ?? contexts.getStore() ?? ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, parent);
      const fail = (): void => void span.setStatus({ code: SpanStatusCode.ERROR });
      try {
        const below = trace.setSpan(parent, span);
        const context = kind === "server" ? below.setValue(statementsLeft, { count: mostStatements }) : below;
        return await contexts.run(context, () =>
          work({
            rename: (better) => void span.updateName(better),
            describe: (more) => void span.setAttributes(more),
            fail,
            past: pastBelow(context),
          }),
        );
      } catch (error) {
        fail();
        throw error;
      } finally {
        span.end();
      }
    },
    async close() {
      ranChannel.unsubscribe(traceStatement);
      // What cannot be sent has been logged.
      await provider.shutdown().catch(() => undefined);
    },
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function remote(traceparent: string | undefined): Context | undefined {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? "");
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  const context = { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true };
  const isZero = /^0+$/.test(traceId) || /^0+$/.test(spanId);
  return isZero ? undefined : trace.setSpanContext(ROOT_CONTEXT, context);
}

/** `SELECT ModelRun`: what is done, and to the first table of it. */
function nameOf(sql: string): string {
  const verb = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? "SQL";
  const table = /\b(?:FROM|INTO|UPDATE)\s+(?:[`"]?main[`"]?\.)?[`"]?(\w+)/i.exec(sql)?.[1];
  return table === undefined ? verb : `${verb} ${table}`;
}

/** Of deliveries that fail one after the other the first is logged. */
function saysWhenItFails(exporter: OTLPTraceExporter, url: string, log: Logger): SpanExporter {
  let isWell = true;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const worked = result.code === 0;
        if (!worked && isWell) log.warn(`traces: ${url} does not take them`, { error: result.error });
        isWell = worked;
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}
