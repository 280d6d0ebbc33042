/** A server that takes webhooks, on this machine, and keeps what it gets. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** What it answers from now on; default 204. */
  answer(status: number, headers?: Readonly<Record<string, string>>): void;
  /** The bodies of what it got of a type, parsed. */
  events(type: string): { readonly id: string; readonly at: string; readonly data: Record<string, unknown> }[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let next: { status: number; headers: Readonly<Record<string, string>> } = { status: 204, headers: {} };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url!, headers: request.headers, body });
      response.writeHead(next.status, next.headers).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (status, headers = {}) => void (next = { status, headers }),
    events: (type) => received.map(({ body }) => JSON.parse(body)).filter((event) => event.type === type),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** What the header `webhook-signature` must hold, written down apart from the product. */
export function signatureBy(secret: string, { headers, body }: Received): string {
  const content = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".");
  const key = Buffer.from(secret.split("_")[1]!, "base64");
  return `v1,${createHmac("sha256", key).update(content, "utf8").digest("base64")}`;
}
