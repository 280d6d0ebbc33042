import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { workQueue } from "../../src/jobs/workQueue.ts";
import { silence } from "../../src/observe/logger.ts";
import { openTracing } from "../../src/observe/openTracing.ts";
import { noTracing } from "../../src/observe/tracing.ts";
import { recordedLog } from "../jobs/recordedLog.ts";
import { newDataset, openTestStore } from "../store/testStore.ts";
import { startTestServer } from "./testServer.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
}

/** What is sent to an OTLP receiver, as JSON. */
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: object;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const received: Sent[] = [];
const receiver: Server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
  received.push(JSON.parse(body) as Sent);
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");
const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/v1/traces`;

beforeEach(() => void (received.length = 0));
afterAll(() => void receiver.close());

const spans = (): Span[] =>
  received.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((s) => s.spans)),
  );

const named = (name: string): Span => {
  const span = spans().find((one) => one.name === name);
  return span ?? expect.fail(`expected a span ${name}, got ${spans().map((one) => one.name)}`);
};

describe("a trace", () => {
  it("is of a request, its operation and its statements, below the span of the client, and sent to the receiver", async () => {
    const server = await startTestServer({ settings: { AUTOIFS_TRACES: url } });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const query = `query Named($key: String!) { scenario(key: $key) { id } }`;
    await server.query(query, { key: "hunter2" }, { traceparent }).finally(() => server.close());

    const [http, operation] = [named("POST /graphql"), named("query Named")];
    const statement = spans().find(({ name }) => name === "SELECT Scenario")!;
    expect([http.traceId, http.parentSpanId]).toEqual(traceparent.split("-").slice(1, 3));
    expect([operation.traceId, operation.parentSpanId]).toEqual([http.traceId, http.spanId]);
    expect([statement.traceId, statement.parentSpanId]).toEqual([http.traceId, operation.spanId]);
    expect(JSON.stringify(received)).not.toContain("hunter2");
    expect(JSON.stringify(received[0]!.resourceSpans[0]!.resource)).toContain(
      '"service.name","value":{"stringValue":"autoifs"',
    );
  });

  it("is of a job and the parts that its handler tells of", async () => {
    const tracing = await openTracing({ url, process: "worker", version: "1.2.3", log: silence });
    const store = await openTestStore();
    await store.datasets.create(newDataset);
    const stop = new AbortController();
    await workQueue({
      store,
      tracing,
      owner: "worker-1",
      signal: stop.signal,
      handlers: {
        async IMPORT_DATASET(_, { span }) {
          span.past("search epoch 1", { begun: Date.now() - 5000, ended: Date.now() });
          stop.abort();
          throw new Error("no more");
        },
      },
    });
    await tracing.close();
    const [job, epoch] = [named("job IMPORT_DATASET"), named("search epoch 1")];
    expect([epoch.traceId, epoch.parentSpanId]).toEqual([job.traceId, job.spanId]);
    expect((Number(epoch.endTimeUnixNano) - Number(epoch.startTimeUnixNano)) / 1e9).toBeCloseTo(5, 1);
    expect(job.status.code).toBe(2);
  });

  it("begins anew where the client's header is none", async () => {
    const tracing = await openTracing({ url, process: "server", version: "1.2.3", log: silence });
    for (const traceparent of ["", "nonsense", `00-${"0".repeat(32)}-b7ad6b7169203331-01`]) {
      await tracing.during("anew", { traceparent }, async () => undefined);
    }
    await tracing.close();
    expect(spans().map(({ name, parentSpanId }) => [name, parentSpanId || undefined])).toEqual([
      ["anew", undefined],
      ["anew", undefined],
      ["anew", undefined],
    ]);
  });

  it("that nobody takes is said once in the log, and holds nothing up", async () => {
    const log = recordedLog();
    const gone = "http://127.0.0.1:9/v1/traces";
    const tracing = await openTracing({ url: gone, process: "server", version: "1.2.3", log });
    expect(await tracing.during("lost", {}, async () => 7)).toBe(7);
    await tracing.close();
    expect(log.messages).toEqual([`traces: ${gone} does not take them`]);
  });

  it("is none where no receiver is named", async () => {
    expect(await openTracing({ url: "", process: "server", version: "1.2.3", log: silence })).toBe(noTracing);
  });
});
