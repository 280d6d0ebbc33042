/** The HTTP surface: which path and method goes where. It knows nothing of GraphQL's content or of the product. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { ProductError, UnavailableError } from "../errors.ts";
import type { EventStreams } from "./eventStreams.ts";
import type { GraphqlHandler } from "./graphqlHandler.ts";
import { graphiqlPage } from "./graphiql.ts";
import { isFromSameHost } from "./sameHost.ts";
import { receiveUpload, TooLargeError } from "./uploads.ts";
import type { UploadTarget } from "./uploads.ts";
import { refuse as refuseUpgrade } from "./webSockets.ts";
import type { WebSockets } from "./webSockets.ts";

/** Bytes of a GraphQL request: a thousand wide rows to predict fit well. */
const bodyLimit = 16 * 1024 * 1024;

export interface HttpParts {
  readonly graphql: GraphqlHandler;
  readonly webSockets: WebSockets;
  readonly eventStreams: EventStreams;
  readonly uploads: UploadTarget;
  /** True while requests can be served. */
  ready(): Promise<boolean>;
  reportFault(error: unknown): void;
}

type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

export function createHttpServer(parts: HttpParts): Server {
  const { graphql, webSockets, eventStreams, uploads, ready, reportFault } = parts;
  const page = graphiqlPage();

  const query: Route = async (request, response, url) => {
    const forPeople = request.headers.accept?.includes("text/html") && !url.searchParams.has("query");
    if (!forPeople) return graphql.handle(request, undefined, response);
    const html = await page();
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-encoding": "gzip" }).end(html);
  };

  const operation: Route = async (request, response) => {
    const body = await readJson(request);
    await graphql.handle(request, body, response);
  };

  const stream: Route = async (request, response, { searchParams }) => {
    if (!isFromSameHost(request)) throw new Refusal(403, "expected a request from a page of this host");
    const accepted = "text/event-stream";
    if (!request.headers.accept?.includes(accepted)) throw new Refusal(406, `expected to be asked for ${accepted}`);
    const isGet = request.method === "GET";
    const body = isGet ? readParameters(searchParams) : await readJson(request);
    if (typeof body !== "object" || body === null) throw new Refusal(400, "POST: expected a body of JSON, an object");
    await eventStreams.handle({ ...body, isGet }, response);
  };

  const upload: Route = async (request, response, url) => {
    const name = decode(url.pathname.slice("/uploads/".length));
    answer(response, 201, await receiveUpload(request, name, uploads));
  };

  const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    "/": { GET: (_, response) => void response.writeHead(302, { location: "/graphql" }).end() },
    "/graphql": { GET: query, HEAD: query, POST: operation },
    "/graphql/stream": { GET: stream, POST: stream },
    "/uploads/": { PUT: upload },
    "/live": { GET: (_, response) => answer(response, 200, { live: true }) },
    "/ready": {
      GET: async (_, response) => {
        const isReady = await ready();
        answer(response, isReady ? 200 : 503, { ready: isReady });
      },
    },
  };

  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      const url = parseUrl(request.url ?? "/");
      const methods = routes[url.pathname.startsWith("/uploads/") ? "/uploads/" : url.pathname];
      const route = methods?.[request.method ?? "GET"];
      if (methods && !route) response.setHeader("allow", Object.keys(methods).join(", "));
      if (!route) throw new Refusal(methods ? 405 : 404, `${request.method} ${url.pathname}: there is nothing here`);
      await route(request, response, url);
    };
    serve().catch((error: unknown) => refuse(request, response, error, reportFault));
  });
  server.on("upgrade", (request, socket, head) => {
    if (request.url?.split("?")[0] === "/graphql") webSockets.upgrade(request, socket, head);
    else refuseUpgrade(socket, "404 Not Found");
  });
  return server;
}

/** A request that is refused before it reaches the product. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  reportFault: (error: unknown) => void,
): void {
  if (request.destroyed && !request.complete) return void response.destroy();
  // What is left of the body is not read, so the connection cannot be used again.
  if (!request.complete) response.setHeader("connection", "close");
  const refuseWith = (status: number, message: string, extensions: object): void =>
    answer(response, status, { errors: [{ message, extensions }] });
  if (error instanceof Refusal) return refuseWith(error.status, error.message, { code: "BAD_REQUEST" });
  if (error instanceof ProductError) {
    const status = error instanceof TooLargeError ? 413 : error instanceof UnavailableError ? 503 : 400;
    return refuseWith(status, error.message, { code: error.code, ...error.detail });
  }
  reportFault(error);
  if (response.headersSent) return void response.destroy();
  refuseWith(500, "Something went wrong on our side; the log has it.", { code: "INTERNAL" });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

/** The body as JSON; undefined, which Apollo refuses, where the content type is another. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bodyLimit) throw new Refusal(413, `POST: expected a body of at most ${bodyLimit} bytes, got more`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new Refusal(400, `POST: expected a body of JSON: ${(cause as Error).message}`);
  }
}

/** A GraphQL request in the query of a URL, the variables as JSON. */
function readParameters(parameters: URLSearchParams): object {
  const variables = parameters.get("variables");
  try {
    return {
      query: parameters.get("query"),
      operationName: parameters.get("operationName"),
      variables: variables === null ? null : JSON.parse(variables),
    };
  } catch (cause) {
    throw new Refusal(400, `variables: expected JSON: ${(cause as Error).message}`);
  }
}

function parseUrl(text: string): URL {
  try {
    return new URL(text, "http://local");
  } catch {
    throw new Refusal(400, `expected a path, got "${text}"`);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, `expected a percent-encoded path, got "${text}"`);
  }
}
