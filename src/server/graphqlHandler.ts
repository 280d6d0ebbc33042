/** Answers GraphQL over HTTP: the long way through Apollo, or the short one; within the time there is for it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HTTPGraphQLResponse } from "@apollo/server";
import type { Asked, Context, Waiting } from "../context.ts";
import { formatErrors } from "../graphql/formatError.ts";
import type { ReportFault } from "../graphql/formatError.ts";
import { createAdmission } from "./admission.ts";
import type { Admit, Admitted, Limits, Operation } from "./admission.ts";
import type { OperationSummary } from "./answered.ts";
import { startApollo } from "./apollo.ts";
import { createOperations } from "./operations.ts";
import type { Operations } from "./operations.ts";
import { Patience } from "./patience.ts";
import { createShortcut } from "./shortcut.ts";
import type { Shortcut } from "./shortcut.ts";
import { createTrustedDocuments } from "./trustedDocuments.ts";
import type { TrustedDocuments } from "./trustedDocuments.ts";
import type { Visit } from "./visitors.ts";

export interface GraphqlHandler {
  /** Answers one request whose body, if it was JSON, is parsed already. Throws Refusal where the time is up. */
  handle(request: IncomingMessage, body: unknown, response: ServerResponse, visit: Visit): Promise<Handled>;
  /** The same schema for other transports. */
  readonly operations: Operations;
  stop(): Promise<void>;
}

/** What was found in a request. */
export interface Handled {
  /** Absent where the request was refused before one was found. */
  readonly operation?: OperationSummary;
  readonly errorCodes: readonly string[];
}

export interface GraphqlOptions {
  readonly createContext: (asked: Asked) => Context;
  readonly report: ReportFault;
  readonly limits: Limits & { readonly timeLimitSeconds: number };
  /** Trusted documents, and whether no others are taken. */
  readonly documents: { readonly file: string | undefined; readonly only: boolean };
  /** Whether a client may ask what the schema is. */
  readonly introspection: boolean;
}

/** Throws InvalidInputError where the file of trusted documents cannot be used. */
export async function startGraphql(options: GraphqlOptions): Promise<GraphqlHandler> {
  const { createContext, report, limits, documents, introspection } = options;
  const { timeLimitSeconds } = limits;
  const formatError = formatErrors(report);
  const found = new WeakMap<Waiting, { admitted?: Admitted; operation?: OperationSummary; errorCodes: string[] }>();
  let admission: Admit | undefined;
  let shortcut: Shortcut | undefined;

  const admit = (operation: Operation, context: Context): Admitted => {
    const admitted = admission!(operation, context);
    const { name, operation: type } = operation.operation;
    const summary = { name: name?.value ?? null, type, cost: admitted.cost.requested };
    found.set(context.signal, { admitted, operation: summary, errorCodes: [] });
    return admitted;
  };
  const apollo = await startApollo({
    introspection,
    formatError,
    admit,
    onValid: (text, document) => shortcut!.learn(text, document),
    onErrors: (codes, { signal }) => void found.set(signal, { ...found.get(signal), errorCodes: [...codes] }),
  });
  const { schema } = apollo;
  admission = createAdmission(schema, limits);
  shortcut = createShortcut({ schema, formatError, admit });
  const trusted = createTrustedDocuments({ ...documents, schema });

  const respond = async (
    request: IncomingMessage,
    body: unknown,
    response: ServerResponse,
    context: Context,
  ): Promise<Handled> => {
    const parameters = withTrusted(trusted, request, body);
    const isPost = request.method === "POST";
    const short = isPost ? await shortcut.answer(request.headers.accept, parameters.body, context) : undefined;
    const long = short ? undefined : await apollo.answer(request, parameters, context);
    context.signal.throwIfAborted();
    const { admitted, operation, errorCodes = [] } = found.get(context.signal) ?? {};
    for (const [name, value] of Object.entries(admitted?.headers ?? {})) response.setHeader(name, value);
    if (short) sendShort(short.json, response);
    else await send(long!, response);
    return { errorCodes: short?.errorCodes ?? errorCodes, ...(operation ? { operation } : {}) };
  };

  return {
    async handle(request, body, response, { actor, requestId }) {
      const patience = new Patience();
      const left = (): void => patience.leave();
      response.once("close", left);
      const context = createContext({ actor, requestId, signal: patience });
      try {
        return await patience.within(timeLimitSeconds, () => respond(request, body, response, context));
      } finally {
        response.off("close", left);
      }
    },
    operations: createOperations({
      schema,
      createContext,
      admit: admission,
      trusted,
      introspection,
      timeLimitSeconds,
      formatError,
    }),
    stop: () => apollo.stop(),
  };
}

/** The parameters of a GET, or the body of a POST, with the text of the trusted document that they name. Throws Refusal. */
function withTrusted(trusted: TrustedDocuments, { method, url = "/" }: IncomingMessage, body: unknown) {
  const search = searchOf(url);
  if (method !== "POST") return { search: trusted.resolveSearch(search), body };
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  return { search, body: isObject ? trusted.resolve(body) : body };
}

/** From the `?` on. */
function searchOf(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start);
}

function sendShort(json: string, response: ServerResponse): void {
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("content-length", Buffer.byteLength(json));
  response.end(json);
}

async function send({ status, headers, body }: HTTPGraphQLResponse, response: ServerResponse): Promise<void> {
  response.statusCode = status ?? 200;
  for (const [name, value] of headers) response.setHeader(name, value);
  if (body.kind === "complete") {
    response.end(body.string);
    return;
  }
  for await (const chunk of body.asyncIterator) response.write(chunk);
  response.end();
}
