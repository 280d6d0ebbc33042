/** The HTTP surface: which path and method goes where, and who may. It knows nothing of GraphQL's content or of the product. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { ProductError } from "../errors.ts";
import type { ReportFault } from "../graphql/formatError.ts";
import type { Observation } from "../observe/observation.ts";
import type { Span } from "../observe/tracing.ts";
import type { Answered } from "./answered.ts";
import { allowOrigin, answerPreflight } from "./cors.ts";
import { sendDownload } from "./downloads.ts";
import type { Download } from "./downloads.ts";
import type { EventStreams } from "./eventStreams.ts";
import type { GraphqlHandler, Handled } from "./graphqlHandler.ts";
import { graphiqlPage } from "./graphiql.ts";
import type { Inference } from "./inference.ts";
import { decode, parseUrl, readJson, readParameters } from "./readRequest.ts";
import { Refusal } from "./refusal.ts";
import { isFromSameHost } from "./sameHost.ts";
import { receiveUpload, TooLargeError } from "./uploads.ts";
import type { UploadTarget } from "./uploads.ts";
import { assertMay, requestIdOf } from "./visitors.ts";
import type { Visit, Visitors } from "./visitors.ts";
import { refuse as refuseUpgrade } from "./webSockets.ts";
import type { WebSockets } from "./webSockets.ts";

export interface HttpParts {
  readonly graphql: GraphqlHandler;
  readonly inference: Inference;
  /** Whether browsers get the page GraphiQL. */
  readonly graphiql: boolean;
  readonly webSockets: WebSockets;
  readonly eventStreams: EventStreams;
  readonly visitors: Visitors;
  readonly uploads: UploadTarget;
  /** What can be fetched, by the first part of its path. Each throws NotFoundError, or ConflictError until the file is there. */
  readonly downloads: Readonly<
    Record<"exports" | "batch-predictions" | "model-exports", (id: string) => Promise<Download>>
  >;
  /** Pages of other hosts that may send requests. */
  readonly origins: readonly string[];
  /** True while requests can be served. */
  ready(): Promise<boolean>;
  readonly observation: Pick<Observation, "metrics" | "requests" | "tracing">;
  /** What Prometheus reads. */
  metrics(): Promise<string>;
  /** Hears of every request that was answered. */
  onAnswered(answered: Answered): void;
  reportFault: ReportFault;
}

/** For the headers of a request, in milliseconds. */
const headersTimeout = 60_000;

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly requestId: string;
  /** Known once somebody has asked who it is. */
  actor?: string;
  /** What GraphQL found in the request. */
  handled?: Handled & { readonly sqlStatements: number | null };
}

/** What is known of who asks; for a route that is for everybody there is no need to ask. */
type Ask = () => Promise<Visit>;
/** Milliseconds a client has to end a body that nobody wants. */
const patience = 2_000;

type Route = (call: Call, ask: Ask) => Promise<void> | void;

export function createHttpServer(parts: HttpParts): Server {
  const { graphql, graphiql, webSockets, eventStreams, visitors, uploads, origins, ready, onAnswered, reportFault } =
    parts;
  const { downloads, inference } = parts;
  const { observation } = parts;
  const { requests, tracing } = observation;
  const page = graphiql ? graphiqlPage() : undefined;

  const handle = (call: Call, body: unknown, visit: Visit): Promise<void> =>
    tracing.during("GraphQL", {}, async (span) => {
      const { request, response } = call;
      const { result, sqlStatements } = await requests.counted(() => graphql.handle(request, body, response, visit));
      call.handled = { ...result, sqlStatements };
      const { operation, errorCodes } = result;
      if (operation) span.rename(`${operation.type} ${operation.name ?? "without a name"}`);
      if (errorCodes.length > 0) span.fail();
    });

  const query: Route = async (call, ask) => {
    const { request, response } = call;
    // With a query too, which the page writes into its address.
    const forPeople = page && request.headers.accept?.includes("text/html");
    if (!forPeople) {
      await handle(call, undefined, await ask());
      return;
    }
    const { headers, plain, gzipped } = await page();
    const isZipped = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
    if (isZipped) response.setHeader("content-encoding", "gzip");
    response.writeHead(200, headers).end(isZipped ? gzipped : plain);
  };

  const operation: Route = async (call, ask) => {
    const visit = await ask();
    await handle(call, await readJson(call.request), visit);
  };

  const stream: Route = async ({ request, response, url }, ask) => {
    if (!isFromSameHost(request, origins)) throw new Refusal(403, "expected a request from a page of this host");
    const accepted = "text/event-stream";
    if (!request.headers.accept?.includes(accepted)) throw new Refusal(406, `expected to be asked for ${accepted}`);
    const visit = await ask();
    const isGet = request.method === "GET";
    const body = isGet ? readParameters(url.searchParams) : await readJson(request);
    if (typeof body !== "object" || body === null) throw new Refusal(400, "POST: expected a body of JSON, an object");
    await eventStreams.handle({ ...body, isGet }, response, visit);
  };

  const upload: Route = async ({ request, response, url }, ask) => {
    assertMay(await ask(), "EDITOR");
    const name = decode(url.pathname.slice("/uploads/".length));
    const received = await receiveUpload(request, name, uploads);
    observation.metrics.uploaded(received.bytes);
    answer(response, 201, received);
  };

  const download =
    (kind: keyof HttpParts["downloads"]): Route =>
    async ({ request, response, url }, ask) => {
      assertMay(await ask(), "VIEWER");
      const id = decode(url.pathname.slice(kind.length + 2));
      await sendDownload(request, response, id, await downloads[kind](id));
    };
  const [exported, batch, model] = [download("exports"), download("batch-predictions"), download("model-exports")];

  const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    "/": { GET: ({ response }) => void response.writeHead(302, { location: "/graphql" }).end() },
    "/graphql": { GET: query, HEAD: query, POST: operation },
    "/graphql/stream": { GET: stream, POST: stream },
    "/v2": { GET: inference },
    "/v2/": { GET: inference, POST: inference },
    "/uploads/": { PUT: upload },
    "/exports/": { GET: exported, HEAD: exported },
    "/batch-predictions/": { GET: batch, HEAD: batch },
    "/model-exports/": { GET: model, HEAD: model },
    "/metrics": {
      GET: async ({ response }, ask) => {
        await ask();
        const text = await parts.metrics();
        response.writeHead(200, { "content-type": observation.metrics.contentType }).end(text);
      },
    },
    "/live": { GET: ({ response }) => answer(response, 200, { live: true }) },
    "/ready": {
      GET: async ({ response }) => {
        const isReady = await ready();
        answer(response, isReady ? 200 : 503, { ready: isReady });
      },
    },
  };
  /** A path that ends in a slash is for all below it. */
  const prefixes = Object.keys(routes).filter((path) => path.length > 1 && path.endsWith("/"));
  const pathOf = (pathname: string): string => prefixes.find((prefix) => pathname.startsWith(prefix)) ?? pathname;

  const serve = async (call: Call, path: string): Promise<void> => {
    const { request, response } = call;
    const methods = routes[path];
    if (methods && request.method === "OPTIONS") return answerPreflight(response);
    const route = methods?.[request.method ?? "GET"];
    if (methods && !route) response.setHeader("allow", Object.keys(methods).join(", "));
    if (!route) throw new Refusal(methods ? 405 : 404, `${request.method} ${call.url.pathname}: there is nothing here`);
    await route(call, async () => {
      const visit = await visitors.admit(request, call.requestId);
      call.actor = visit.actor.id;
      return visit;
    });
  };

  // No limit for the whole of a body, for a large file may take long: those who read it do not wait for the next byte for ever.
  const server = createServer({ requestTimeout: 0, headersTimeout }, (request, response) => {
    const begun = performance.now();
    const requestId = requestIdOf(request);
    response.setHeader("x-request-id", requestId);
    allowOrigin(request, response, origins);
    let call: Call | undefined;
    let path = "";
    response.once("close", () =>
      onAnswered({
        requestId,
        method: request.method ?? "",
        path: path in routes ? path : "",
        status: response.headersSent ? response.statusCode : 0,
        durationMs: performance.now() - begun,
        actor: call?.actor ?? "",
        errorCodes: call?.handled?.errorCodes ?? [],
        sqlStatements: call?.handled?.sqlStatements ?? null,
        ...(call?.handled?.operation ? { operation: call.handled.operation } : {}),
      }),
    );
    const begin = async (span: Span): Promise<void> => {
      call = { request, response, url: parseUrl(request.url ?? "/"), requestId };
      path = pathOf(call.url.pathname);
      span.rename(`${request.method} ${path in routes ? path : ""}`);
      span.describe({ "autoifs.request": requestId });
      await serve(call, path);
    };
    const span = { kind: "server", traceparent: request.headers["traceparent"]?.toString() } as const;
    const refused = (error: unknown): void =>
      refuse({ request, response }, error, bodyOf(path), (fault) => reportFault({ error: fault, requestId }));
    tracing.during("HTTP", span, begin).catch(refused);
  });
  server.on("upgrade", (request, socket, head) => {
    if (request.url?.split("?")[0] === "/graphql") webSockets.upgrade(request, socket, head);
    else refuseUpgrade(socket, "404 Not Found");
  });
  return server;
}

type ErrorBody = (message: string, extensions: object) => object;

/** What an error looks like: as one of GraphQL, but for those who speak of inference as their protocol has it. */
function bodyOf(path: string): ErrorBody {
  if (path === "/v2" || path === "/v2/") return (message) => ({ error: message });
  return (message, extensions) => ({ errors: [{ message, extensions }] });
}

function refuse(
  { request, response }: Pick<Call, "request" | "response">,
  error: unknown,
  body: ErrorBody,
  reportFault: (error: unknown) => void,
): void {
  if (request.destroyed && !request.complete) return void response.destroy();
  const refuseWith = (status: number, message: string, extensions: object): void => {
    const send = (): void => answer(response, status, body(message, extensions));
    if (request.complete) send();
    else afterTheBody(request, response, send);
  };
  if (error instanceof Refusal) {
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    return refuseWith(error.status, error.message, { code: error.code, ...error.extensions });
  }
  if (error instanceof ProductError) {
    return refuseWith(statusOf(error), error.message, { code: error.code, ...error.detail });
  }
  reportFault(error);
  if (response.headersSent) return void response.destroy();
  refuseWith(500, "Something went wrong on our side; the log has it.", { code: "INTERNAL" });
}

/**
 * A client that is still sending hears nothing, and where the connection ends meanwhile it may lose the answer: so what is left of
 * the body is read and thrown away first, unless there is too much of it.
 */
function afterTheBody(request: IncomingMessage, response: ServerResponse, send: () => void): void {
  response.setHeader("connection", "close");
  const done = (): void => {
    clearTimeout(timer);
    request.off("end", done);
    request.off("close", done);
    if (!response.headersSent && !response.destroyed) send();
  };
  const timer = setTimeout(done, patience);
  request.once("end", done);
  request.once("close", done);
  request.resume();
}

function statusOf(error: ProductError): number {
  if (error instanceof TooLargeError) return 413;
  switch (error.code) {
    case "NOT_FOUND":
      return 404;
    case "CONFLICT":
      return 409;
    case "UNAVAILABLE":
      return 503;
    default:
      return 400;
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}
