/** Apollo Server between plain HTTP messages: it parses, validates, executes; the schema and its resolvers come from src/graphql. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ApolloServer, HeaderMap } from "@apollo/server";
import type { HTTPGraphQLResponse } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import { GraphQLError } from "graphql";
import type { GraphQLSchema, OperationDefinitionNode } from "graphql";
import type { Context } from "../context.ts";
import { formatErrors } from "../graphql/formatError.ts";
import type { ReportFault } from "../graphql/formatError.ts";
import { resolvers, typeDefs } from "../graphql/schema.ts";
import { createOperations } from "./operations.ts";
import type { Operations } from "./operations.ts";

export interface GraphqlHandler {
  /** Answers one request whose body, if it was JSON, is parsed already. */
  handle(request: IncomingMessage, body: unknown, response: ServerResponse): Promise<void>;
  /** The same schema for other transports. */
  readonly operations: Operations;
  stop(): Promise<void>;
}

export async function startGraphql(createContext: () => Context, report: ReportFault): Promise<GraphqlHandler> {
  const formatError = formatErrors(report);
  let schema: GraphQLSchema | undefined;
  const apollo = new ApolloServer<Context>({
    typeDefs: typeDefs(),
    resolvers,
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError,
    // The cache-control plugin wraps every field for a header nobody here reads.
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      {
        serverWillStart: async (server) => void ({ schema } = server),
        requestDidStart: async () => ({ didResolveOperation: async ({ operation }) => refuseSubscription(operation) }),
      },
    ],
  });
  await apollo.start();
  return {
    async handle(request, body, response) {
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: {
          method: request.method ?? "GET",
          headers: headersOf(request),
          search: new URL(request.url ?? "/", "http://local").search,
          body,
        },
        context: () => Promise.resolve(createContext()),
      });
      await send(answer, response);
    },
    operations: createOperations({ schema: schema!, createContext, formatError }),
    stop: () => apollo.stop(),
  };
}

/** Apollo would run it like a query. */
function refuseSubscription(operation: OperationDefinitionNode | undefined): void {
  if (operation?.operation !== "subscription") return;
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
