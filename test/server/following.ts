/** Clients that follow a run, by the libraries people use, with a connection that can be cut like a cable. */
import { createClient as createEventStreamClient } from "graphql-sse";
import { createClient as createWebSocketClient } from "graphql-ws";
import { WebSocket } from "ws";

export const runProgress = `subscription ($id: ID!, $after: Int! = 0) {
  runProgress(id: $id, after: $after) {
    sequence at kind
    state { state attempt stopReason error { code message } }
    progress { phase epoch epochs step steps samplesPerSecond loss temperature secondsLeft }
    epoch { phase epoch epochs meanAuc score }
    checkpoint { epochsDone stepsDone }
  }
}`;

export const polled = `query ($id: ID!, $after: Int!, $first: Int!) {
  run(id: $id) {
    events(after: $after, first: $first) {
      events {
        sequence at kind
        state { state attempt stopReason error { code message } }
        progress { phase epoch epochs step steps samplesPerSecond loss temperature secondsLeft }
        epoch { phase epoch epochs meanAuc score }
        checkpoint { epochsDone stepsDone }
      }
      lastSequence
      ended
    }
  }
}`;

export interface FollowedEvent {
  readonly sequence: number;
  readonly kind: string;
  readonly state: { readonly state: string } | null;
}

export interface Following {
  /** Ends where the server completes it; throws where the connection ends before. */
  readonly answers: AsyncIterable<{ data?: unknown; errors?: readonly unknown[] }>;
  cut(): void;
}

export type Follow = (url: string, variables: Readonly<Record<string, unknown>>, query?: string) => Following;

export const followOverWebSocket: Follow = (url, variables, query = runProgress) => {
  const sockets: WebSocket[] = [];
  class CuttableSocket extends WebSocket {
    constructor(...[address, protocols]: ConstructorParameters<typeof WebSocket>) {
      super(address!, protocols);
      sockets.push(this);
    }
  }
  const client = createWebSocketClient({
    url: `${url.replace("http", "ws")}/graphql`,
    webSocketImpl: CuttableSocket,
    retryAttempts: 0,
  });
  return { answers: client.iterate({ query, variables }), cut: () => sockets.forEach((socket) => socket.terminate()) };
};

export const followOverEventStream: Follow = (url, variables, query = runProgress) => {
  const cable = new AbortController();
  const client = createEventStreamClient({
    url: `${url}/graphql/stream`,
    retryAttempts: 0,
    fetchFn: (input: string, init: RequestInit) =>
      fetch(input, { ...init, signal: AbortSignal.any([init.signal!, cable.signal]) }),
  });
  return { answers: client.iterate({ query, variables }), cut: () => cable.abort(new Error("cut")) };
};

export const eventOf = ({ data }: { data?: unknown }): FollowedEvent =>
  (data as { runProgress: FollowedEvent }).runProgress;
