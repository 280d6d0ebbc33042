/**
 * GraphQL over server-sent events, one operation per connection ("distinct connections mode"): answers as events `next`,
 * then an event `complete`. An answer is asked for only when the connection takes it, so a slow client is waited for.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { getOperationAST, GraphQLError } from "graphql";
import type { ExecutionResult } from "graphql";
import { UnavailableError } from "../errors.ts";
import type { OperationRequest, Operations } from "./operations.ts";
import { clientLeft } from "./patience.ts";
import type { Visit } from "./visitors.ts";

export interface StreamedRequest extends OperationRequest {
  /** True for a GET, which any page can make a browser send. */
  readonly isGet: boolean;
}

export interface EventStreams {
  /** Answers until the operation completes, the client leaves, or the server closes. Throws UnavailableError after `close`. */
  handle(request: StreamedRequest, response: ServerResponse, visit: Visit): Promise<void>;
  /** Ends all, without `complete`, and takes no more. */
  close(): Promise<void>;
}

/** Milliseconds between two comments that keep the connection alive. */
const pingInterval = 12_000;
const comment = ":\n\n";

export function createEventStreams(operations: Operations): EventStreams {
  const open = new Set<{ end(): Promise<void> }>();
  let isClosing = false;

  const answers = async (
    request: StreamedRequest,
    visit: Visit,
    left: AbortSignal,
  ): Promise<AsyncGenerator<ExecutionResult, void, void>> => {
    const args = operations.prepare(request, visit, left);
    if (!("schema" in args)) return single({ errors: args });
    const isMutation = getOperationAST(args.document, args.operationName)?.operation === "mutation";
    if (request.isGet && isMutation) {
      const extensions = { code: "BAD_REQUEST" };
      return single({ errors: [new GraphQLError("mutation: expected a POST, got a GET", { extensions })] });
    }
    const result = await operations.perform(args);
    return "next" in result ? result : single(result);
  };

  const deliver = async (stream: AsyncGenerator<ExecutionResult>, response: ServerResponse, left: AbortSignal) => {
    try {
      for await (const result of stream) await write(response, next(operations.format(result)), left);
    } catch (error) {
      if (left.aborted) return;
      const originalError = error instanceof Error ? error : new Error(String(error));
      const errors = operations.formatErrors([new GraphQLError(originalError.message, { originalError })]);
      await write(response, next({ errors }), left);
    }
  };

  return {
    async handle(request, response, visit) {
      if (isClosing) throw new UnavailableError("the server is closing");
      if (response.destroyed) return;
      const left = new AbortController();
      let stream: AsyncGenerator<ExecutionResult, void, void> | undefined;
      const end = async (): Promise<void> => {
        left.abort(clientLeft());
        await stream?.return();
      };
      // Before anything is asked for: a client may leave before there is an answer.
      response.once("close", end);
      // Or in the middle of a word; it is no fault of ours.
      response.on("error", () => undefined);
      stream = await answers(request, visit, left.signal);
      if (left.signal.aborted) return end();

      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        // Asks a proxy not to hold events back.
        "x-accel-buffering": "no",
        connection: "close",
      });
      response.write(comment);
      const pings = setInterval(() => response.writableNeedDrain || response.write(comment), pingInterval);
      const entry = { end };
      open.add(entry);
      if (isClosing) await end();
      await deliver(stream, response, left.signal);
      clearInterval(pings);
      open.delete(entry);
      if (left.signal.aborted) response.end();
      // With `data`, for without it a browser does not tell of the event.
      else response.end("event: complete\ndata:\n\n");
    },

    async close() {
      isClosing = true;
      await Promise.all([...open].map(({ end }) => end()));
    },
  };
}

async function* single(result: ExecutionResult): AsyncGenerator<ExecutionResult, void, void> {
  yield result;
}

function next(answer: object): string {
  return `event: next\ndata: ${JSON.stringify(answer)}\n\n`;
}

/** Resolves when there is room for more, or the client has left. */
async function write(response: ServerResponse, text: string, left: AbortSignal): Promise<void> {
  if (left.aborted || response.write(text)) return;
  await once(response, "drain", { signal: left }).catch(() => undefined);
}
