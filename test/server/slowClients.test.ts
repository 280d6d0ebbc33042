import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import type { ExecutionResult } from "graphql";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { createEventStreams } from "../../src/server/eventStreams.ts";
import type { Operations } from "../../src/server/operations.ts";
import { createWebSockets } from "../../src/server/webSockets.ts";

/** Serves answers of 10 kB without end over both transports; counts those that were asked for. */
async function endlessServer() {
  const counted = { answers: 0, isOver: false };
  async function* endless(): AsyncGenerator<ExecutionResult, void, void> {
    try {
      for (;;) {
        counted.answers++;
        yield { data: { text: "x".repeat(10_000) } };
      }
    } finally {
      counted.isOver = true;
    }
  }
  const document = { kind: "Document", definitions: [{ kind: "OperationDefinition", operation: "subscription" }] };
  const operations = {
    prepare: () => ({ schema: {}, document }),
    perform: async () => endless(),
    formatErrors: () => [],
    format: (result: ExecutionResult) => result,
  } as unknown as Operations;
  const actor = { id: "", name: "anybody", role: "ADMIN" } as const;
  const visit = { actor, requestId: "r", isStillIn: () => Promise.resolve(true) };
  const faults: unknown[] = [];
  const webSockets = createWebSockets({
    operations,
    visitors: { admit: async () => visit },
    origins: [],
    reportFault: (fault) => faults.push(fault),
  });
  const eventStreams = createEventStreams(operations);
  const http = createServer((_, response) => void eventStreams.handle({ isGet: true }, response, visit));
  http.on("upgrade", (request, socket, head) => webSockets.upgrade(request, socket, head));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { counted, faults, address: `127.0.0.1:${(http.address() as AddressInfo).port}` };
}

/** Waits until nothing has been asked for in a quarter of a second; answers how much was. */
async function stillness(counted: { readonly answers: number }): Promise<number> {
  for (let before = 0; ; before = counted.answers) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (counted.answers > 0 && counted.answers === before) return before;
    if (counted.answers > 20_000) throw new Error("200 MB were made for a client that reads nothing");
  }
}

describe("a client that reads nothing", () => {
  it("is waited for over a WebSocket; when it leaves, so does the subscription", async () => {
    const { counted, faults, address } = await endlessServer();
    const socket = new WebSocket(`ws://${address}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init" }));
    await once(socket, "message");
    socket.pause();
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: "subscription { text }" } }));
    await stillness(counted);
    expect(counted.isOver).toBe(false);
    socket.terminate();
    await expect.poll(() => counted.isOver).toBe(true);
    expect(faults).toEqual([]);
  });

  it("is waited for over server-sent events; when it leaves, so does the subscription", async () => {
    const { counted, address } = await endlessServer();
    const request = get(`http://${address}/graphql/stream`);
    request.on("error", () => undefined);
    await once(request, "response");
    await stillness(counted);
    expect(counted.isOver).toBe(false);
    request.destroy();
    await expect.poll(() => counted.isOver).toBe(true);
  });
});

it("A client that leaves a stream of events before the answer is heard at once", async () => {
  let heard: AbortSignal | undefined;
  const operations = {
    prepare: (_: unknown, __: unknown, left: AbortSignal) => {
      heard = left;
      return { schema: {}, document: { kind: "Document", definitions: [] } };
    },
    perform: () => new Promise(() => undefined),
  } as unknown as Operations;
  const actor = { id: "", name: "anybody", role: "ADMIN" } as const;
  const visit = { actor, requestId: "r", isStillIn: () => Promise.resolve(true) };
  const eventStreams = createEventStreams(operations);
  const http = createServer((_, response) => void eventStreams.handle({ isGet: true }, response, visit));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const request = get(`http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql/stream`);
  request.on("error", () => undefined);
  await expect.poll(() => heard?.aborted).toBe(false);
  request.destroy();
  await expect.poll(() => heard?.aborted).toBe(true);
});
