/** Apollo Server: it parses, validates and executes over HTTP; the schema and its resolvers come from src/graphql. */
import type { IncomingMessage } from "node:http";
import { ApolloServer, HeaderMap } from "@apollo/server";
import type { GraphQLRequestContextDidResolveOperation, HTTPGraphQLRequest, HTTPGraphQLResponse } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import { GraphQLError } from "graphql";
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import type { Context, Waiting } from "../context.ts";
import type { FormatError } from "../graphql/formatError.ts";
import { resolvers, typeDefs } from "../graphql/schema.ts";
import { tokenLimit } from "./admission.ts";
import type { Operation } from "./admission.ts";
import { graphqlRefusal, Refusal } from "./refusal.ts";

/** What there is to say beside an answer. */
export interface Remarks {
  readonly cost: { readonly requested: number; readonly limit: number };
}

export interface ApolloOptions {
  readonly introspection: boolean;
  readonly formatError: FormatError;
  /** Called for each operation before it runs; throws Refusal. */
  admit(operation: Operation, context: Context): Remarks;
  /** Told of each document that is valid, with the text it came from. */
  onValid(text: string, document: DocumentNode): void;
  /** Told of the codes of the errors in an answer. */
  onErrors(codes: readonly string[], context: Context): void;
}

export interface Apollo {
  readonly schema: GraphQLSchema;
  answer(
    request: IncomingMessage,
    parameters: { readonly search: string; readonly body: unknown },
    context: Context,
  ): Promise<HTTPGraphQLResponse>;
  stop(): Promise<void>;
}

export async function startApollo({ introspection, formatError, ...tell }: ApolloOptions): Promise<Apollo> {
  let schema: GraphQLSchema | undefined;
  // Apollo executes with a copy of the context; its signal is one and the same.
  const remarks = new WeakMap<Waiting, Remarks>();
  /** By error, for it is formatted without a context. */
  const requestIds = new WeakMap<object, string>();

  const admit = (resolved: GraphQLRequestContextDidResolveOperation<Context>): void => {
    const { document, operation, request, source, contextValue } = resolved;
    if (!operation) return;
    tell.onValid(source, document);
    try {
      refuseSubscription(operation);
      const variables = request.variables ?? {};
      remarks.set(contextValue.signal, tell.admit({ document, operation, variables }, contextValue));
    } catch (error) {
      throw error instanceof Refusal ? graphqlRefusal(error) : error;
    }
  };

  const apollo = new ApolloServer<Context>({
    typeDefs: typeDefs(),
    resolvers,
    introspection,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    persistedQueries: false,
    parseOptions: { maxTokens: tokenLimit },
    formatError: (formatted, thrown) => formatError(formatted, thrown, requestIds.get(thrown as object)),
    // The cache-control plugin wraps every field for a header nobody here reads.
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      {
        serverWillStart: async (server) => void ({ schema } = server),
        requestDidStart: async () => ({
          didResolveOperation: async (resolved) => admit(resolved),
          didEncounterErrors: async ({ errors, contextValue }) => {
            for (const error of errors) requestIds.set(error, contextValue.requestId);
          },
          willSendResponse: async ({ request, response: { body, http }, contextValue }) => {
            if (body.kind !== "single") return;
            const { singleResult: result } = body;
            if (result.errors) {
              const codes = result.errors.map(({ extensions }) => String(extensions?.["code"]));
              tell.onErrors(codes, contextValue);
              if (isPlainJson(request.http) && codes.every((code) => wellFormed.has(code))) http.status = 200;
            }
            const { cost } = remarks.get(contextValue.signal) ?? {};
            if (cost) result.extensions = { cost };
          },
        }),
      },
    ],
  });
  await apollo.start();

  return {
    schema: schema!,
    answer: (request, parameters, context) =>
      apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: request.method ?? "GET", headers: headersOf(request), ...parameters },
        context: () => Promise.resolve(context),
      }),
    stop: () => apollo.stop(),
  };
}

/** Apollo would run it like a query. */
function refuseSubscription({ operation }: OperationDefinitionNode): void {
  if (operation !== "subscription") return;
  const message = "a subscription: expected it over WebSocket, or as a stream of events from /graphql/stream";
  throw new GraphQLError(message, { extensions: { code: "BAD_REQUEST", http: { status: 400 } } });
}

function headersOf(request: IncomingMessage): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

/** Codes of requests that say a GraphQL operation, but one that cannot be executed. */
const wellFormed = new Set(["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"]);

/** True where a client asks for `application/json` by name and knows no better; by the specification it then gets a 200. */
function isPlainJson(http: HTTPGraphQLRequest | undefined): boolean {
  const accept = http?.headers.get("accept") ?? "";
  return accept.includes("application/json") && !accept.includes("application/graphql-response+json");
}
