/** Apollo Server between plain HTTP messages: it parses, validates, executes; the schema and its resolvers come from src/graphql. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ApolloServer, HeaderMap } from "@apollo/server";
import type { HTTPGraphQLResponse } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import type { Context } from "../context.ts";
import { formatErrors } from "../graphql/formatError.ts";
import type { ReportFault } from "../graphql/formatError.ts";
import { resolvers, typeDefs } from "../graphql/schema.ts";

export interface GraphqlHandler {
  /** Answers one request whose body, if it was JSON, is parsed already. */
  handle(request: IncomingMessage, body: unknown, response: ServerResponse): Promise<void>;
  stop(): Promise<void>;
}

export async function startGraphql(createContext: () => Context, report: ReportFault): Promise<GraphqlHandler> {
  const apollo = new ApolloServer<Context>({
    typeDefs: typeDefs(),
    resolvers,
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: formatErrors(report),
    // The cache-control plugin wraps every field for a header nobody here reads.
    plugins: [ApolloServerPluginCacheControlDisabled(), ApolloServerPluginLandingPageDisabled()],
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
    stop: () => apollo.stop(),
  };
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
