/** What an open WebSocket may still do: as long as its token is good, and so much at a time. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildSchema, parse } from "graphql";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { Operations } from "../../src/server/operations.ts";
import { createWebSockets } from "../../src/server/webSockets.ts";

/** Serves queries without an answer, to whoever is still in; counts those that were begun. */
async function silentServer() {
  const counted = { begun: 0, isStillIn: true, left: undefined as AbortSignal | undefined };
  const operations = {
    prepare: (_: unknown, __: unknown, left: AbortSignal) => {
      counted.left = left;
      return { schema: buildSchema("type Query { a: Int }"), document: parse("{ a }") };
    },
    perform: () => {
      counted.begun++;
      return new Promise((resolve) => counted.left!.addEventListener("abort", () => resolve({ data: {} })));
    },
    formatErrors: (errors: unknown) => errors,
    format: (result: unknown) => result,
  } as unknown as Operations;
  const actor = { id: "tok_1", name: "a", role: "ADMIN" } as const;
  const visit = { actor, requestId: "r", isStillIn: () => Promise.resolve(counted.isStillIn) };
  const faults: unknown[] = [];
  const visitors = { admit: async () => visit };
  const reportFault = (fault: unknown): void => void faults.push(fault);
  const webSockets = createWebSockets({ operations, visitors, origins: [], reportFault });
  const http = createServer().on("upgrade", (...given) => webSockets.upgrade(...given));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(async () => {
    await webSockets.close();
    http.close();
    expect(faults).toEqual([]);
  });

  const socket = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, "graphql-transport-ws");
  await once(socket, "open");
  const send = (message: object): void => socket.send(JSON.stringify(message));
  send({ type: "connection_init" });
  await once(socket, "message");
  const ask = (id: string): void => send({ id, type: "subscribe", payload: { query: "{ a }" } });
  return { counted, socket, send, ask };
}

it("A WebSocket is closed as forbidden when it asks with a token that is not good any more", async () => {
  const { counted, socket, ask } = await silentServer();
  ask("1");
  await expect.poll(() => counted.begun).toBe(1);
  counted.isStillIn = false;
  ask("2");
  const [code, reason] = await once(socket, "close");
  expect([code, String(reason)]).toEqual([4403, "Forbidden"]);
  expect(counted.begun).toBe(1);
  await expect.poll(() => counted.left!.aborted).toBe(true);
});

it("A WebSocket may have 100 operations at a time, also if it does not want to hear how they end", async () => {
  const { counted, socket, send, ask } = await silentServer();
  for (let i = 1; i <= 100; i++) ask(String(i));
  await expect.poll(() => counted.begun).toBe(100);
  send({ id: "1", type: "complete" });
  ask("101");
  const [answer] = await once(socket, "message");
  expect(JSON.parse(String(answer))).toMatchObject({
    id: "101",
    type: "error",
    payload: [
      {
        message: "expected at most 100 operations at a time on a connection",
        extensions: { code: "RATE_LIMITED" },
      },
    ],
  });
  expect(counted.begun).toBe(100);
});
