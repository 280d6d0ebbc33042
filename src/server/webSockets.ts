/**
 * GraphQL over WebSocket, in the protocol of graphql-ws. An answer is asked for only when the one before it has left, so
 * a slow client is waited for; one that does not answer pings is cut off.
 */
import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { CloseCode, handleProtocols, makeServer } from "graphql-ws";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { Operations, PreparedOperation } from "./operations.ts";
import { clientLeft } from "./patience.ts";
import { graphqlRefusal, Refusal } from "./refusal.ts";
import { isFromSameHost } from "./sameHost.ts";
import { requestIdOf } from "./visitors.ts";
import type { Visit, Visitors } from "./visitors.ts";

export interface WebSockets {
  /** Takes over the connection of a request to upgrade, or refuses it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all with code 1001, and takes no more. */
  close(): Promise<void>;
}

/** Bytes of one message. */
const messageLimit = 1024 * 1024;
/** Operations of one connection that have not ended. */
const mostOpen = 100;
/** Between two pings, in milliseconds; one that is not answered until the next ends the connection. */
const pingInterval = 12_000;
/** Milliseconds a client has to answer a close. */
const closeTime = 1000;
/** Close code of an endpoint that goes away. */
const goingAway = 1001;
/** Close code of an unexpected condition. */
const internalError = 1011;

/** What is known of a connection. */
interface Guest {
  readonly request: IncomingMessage;
  readonly left: AbortSignal;
  /** Messages that are not dealt with yet: that of an operation until it has ended, also where the client waits no longer. */
  inHand: number;
  forbid(): void;
  /** Since it has introduced itself. */
  visit?: Visit;
}

export interface WebSocketsOptions {
  readonly operations: Operations;
  readonly visitors: Visitors;
  /** Pages of other hosts that may connect. */
  readonly origins: readonly string[];
  readonly reportFault: (error: unknown) => void;
}

export function createWebSockets({ operations, visitors, origins, reportFault }: WebSocketsOptions): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageLimit,
    handleProtocols: (protocols) => handleProtocols(protocols),
  });
  const protocol = makeServer<{ readonly authorization?: unknown }, Guest>({
    // A browser cannot send the header, so the token may come in `connectionParams`. Refused, the code is 4403.
    onConnect: async ({ connectionParams, extra }) => {
      const given = connectionParams?.authorization;
      try {
        extra.visit = await visitors.admit(
          extra.request,
          requestIdOf(extra.request),
          typeof given === "string" ? given : undefined,
        );
        return true;
      } catch (error) {
        if (error instanceof Refusal) return false;
        throw error;
      }
    },
    onSubscribe: async ({ extra }, _, request) => {
      const { visit, left } = extra;
      if (extra.inHand > mostOpen) {
        const message = `expected at most ${mostOpen} operations at a time on a connection`;
        return [graphqlRefusal(new Refusal(429, message, "RATE_LIMITED"))];
      }
      if (await visit!.isStillIn()) return operations.prepare(request, visit!, left);
      extra.forbid();
      return [graphqlRefusal(new Refusal(401, "the token has expired or was revoked", "UNAUTHENTICATED"))];
    },
    execute: (args) => operations.perform(args as PreparedOperation),
    subscribe: (args) => operations.perform(args as PreparedOperation),
    onNext: (_, __, ___, ____, result) => operations.format(result),
    onError: (_, __, ___, errors) => operations.formatErrors(errors),
  });
  let isClosing = false;

  const serve = (socket: WebSocket, request: IncomingMessage): void => {
    const left = new AbortController();
    // Each operation listens.
    setMaxListeners(mostOpen + 1, left.signal);
    const guest: Guest = {
      request,
      left: left.signal,
      inHand: 0,
      forbid: () => socket.close(CloseCode.Forbidden, "Forbidden"),
    };
    // A client that breaks the rules of WebSocket is closed by `ws` with the code that says so; it is no fault of ours.
    socket.on("error", () => undefined);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => sent(socket, text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on("message", (data) => {
            guest.inHand++;
            handle(String(data))
              .catch((error: unknown) => {
                reportFault(error);
                socket.close(internalError, "Internal error");
              })
              .finally(() => guest.inHand--);
          });
        },
      },
      guest,
    );
    const stopPinging = keepAlive(socket);
    socket.once("close", (code, reason) => {
      stopPinging();
      left.abort(clientLeft());
      Promise.resolve(closed(code, String(reason))).catch(reportFault);
    });
  };

  return {
    upgrade(request, socket, head) {
      if (isClosing) return refuse(socket, "503 Service Unavailable");
      if (!isFromSameHost(request, origins)) return refuse(socket, "403 Forbidden");
      sockets.handleUpgrade(request, socket, head, serve);
    },

    async close() {
      isClosing = true;
      await Promise.all([...sockets.clients].map(ended));
    },
  };
}

/** Resolves when the text has left this process, or the socket is closed. */
function sent(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
    else if (socket.readyState === socket.CLOSED) resolve();
    // Not at once: a subscription that is always ready would be asked for more and more, and the close never be heard.
    else socket.once("close", () => resolve());
  });
}

/** Gives what stops it. */
function keepAlive(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on("pong", () => (isAlive = true));
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, pingInterval);
  return () => clearInterval(timer);
}

function ended(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => socket.terminate(), closeTime);
    socket.once("close", () => {
      clearTimeout(cut);
      resolve();
    });
    socket.close(goingAway, "Going away");
  });
}

/** Answers a request to upgrade for which there is nothing to upgrade to. */
export function refuse(socket: Duplex, status: string): void {
  socket.on("error", () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}
