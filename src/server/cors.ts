/** Pages of other hosts: a browser lets them read answers only where these headers say so. Without a list none may. */
import type { IncomingMessage, ServerResponse } from "node:http";

const methods = "GET, POST, PUT";
const headers = "authorization, content-type, x-request-id, apollo-require-preflight, last-event-id";
const shown = "x-request-id, ratelimit, ratelimit-policy, retry-after";
/** A browser remembers the answer to a preflight for a day at most. */
const rememberedSeconds = "86400";

/** Lets a page of one of the `origins` read the answer. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): void {
  if (origins.length === 0) return;
  response.setHeader("vary", "origin");
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", shown);
}

/** What a browser asks before it sends a request of another host's page. */
export function answerPreflight(response: ServerResponse): void {
  if (response.hasHeader("access-control-allow-origin")) {
    response.setHeader("access-control-allow-methods", methods);
    response.setHeader("access-control-allow-headers", headers);
    response.setHeader("access-control-max-age", rememberedSeconds);
  }
  response.writeHead(204).end();
}
