/** Reads requests: bodies of JSON, parameters, paths. What cannot be read is refused. */
import type { IncomingMessage } from "node:http";
import { Refusal } from "./refusal.ts";

/** Bytes of a GraphQL request: a thousand wide rows to predict fit well. */
const bodyLimit = 16 * 1024 * 1024;

/** Milliseconds for the next byte of a body. How long all of it takes does not matter: files may be large, and lines slow. */
const idleLimit = 60_000;

/**
 * The body as JSON; undefined, which Apollo refuses, where the content type is another. `idleMs` is for the next byte of it
 * (default: a minute).
 */
export async function readJson(request: IncomingMessage, idleMs?: number): Promise<unknown> {
  const body = await whileItComes(request, readBody(request), idleMs);
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new Refusal(400, `POST: expected a body of JSON: ${(cause as Error).message}`);
  }
}

/** What `reading` the body gives. Throws Refusal, after which the connection is cut, where no byte comes for `idleMs`. */
export function whileItComes<T>(request: IncomingMessage, reading: Promise<T>, idleMs = idleLimit): Promise<T> {
  if (request.complete) return reading;
  return new Promise((resolve, reject) => {
    const message = `expected a body, but no byte of it came for ${idleMs / 1000} seconds`;
    const late = (): void => reject(new Refusal(408, message));
    const isRead = (): void => {
      request.off("timeout", late);
      request.setTimeout(0);
    };
    request.once("timeout", late);
    request.setTimeout(idleMs);
    reading.finally(isRead).then(resolve, reject);
  });
}

/** By events: an asynchronous iterator takes as long as all else of a small request. What is too much is not read. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    request.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes <= bodyLimit) return void chunks.push(chunk);
      request.removeAllListeners("data");
      request.pause();
      reject(new Refusal(413, `POST: expected a body of at most ${bodyLimit} bytes, got more`));
    });
    request.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.once("error", reject);
    request.once("close", () => {
      if (!request.complete) reject(new Refusal(400, "POST: expected a body, but the connection ended"));
    });
  });
}

/** A GraphQL request in the query of a URL, variables and extensions as JSON. */
export function readParameters(parameters: URLSearchParams): object {
  const parsed = (name: string): unknown => {
    const text = parameters.get(name);
    try {
      return text === null ? null : JSON.parse(text);
    } catch (cause) {
      throw new Refusal(400, `${name}: expected JSON: ${(cause as Error).message}`);
    }
  };
  return {
    query: parameters.get("query"),
    documentId: parameters.get("documentId"),
    operationName: parameters.get("operationName"),
    variables: parsed("variables"),
    extensions: parsed("extensions"),
  };
}

export function parseUrl(text: string): URL {
  try {
    return new URL(text, "http://local");
  } catch {
    throw new Refusal(400, `expected a path, got "${text}"`);
  }
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, `expected a percent-encoded path, got "${text}"`);
  }
}
