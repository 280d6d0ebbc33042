/** What happens to a run, from its first event to its last, over as many connections as it takes. */
import { ApiError } from "./apiError.ts";
import { readEvents } from "./eventStream.ts";
import { runProgressText } from "./operations.ts";
import type { RunEvent } from "./operations.ts";
import { assertAnswered, originOf, pauseAfter, readAnswer, sleep } from "./transport.ts";
import type { Answer, Transport } from "./transport.ts";

export interface FollowOptions {
  /** Sequence of the last event that is known already; default 0: from the beginning. */
  readonly after?: number;
  /** Ends it: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Connections in a row that may bring nothing new. */
const patience = 8;

/**
 * Each event once and in order; it ends when the run has ended. Throws ApiError for what the server refuses (NOT_FOUND ...),
 * and UNREACHABLE where it stays away.
 */
export async function* followRun(
  transport: Transport,
  id: string,
  { after = 0, signal }: FollowOptions = {},
): AsyncGenerator<RunEvent, void, void> {
  let last = after;
  for (let inVain = 0; ;) {
    try {
      for await (const event of oneConnection(transport, { id, after: last }, signal)) {
        if (event === "complete") return;
        if (event.sequence <= last) continue;
        last = event.sequence;
        inVain = 0;
        yield event;
      }
      throw new ApiError(`${id}: the connection has ended before the run`, { code: "UNREACHABLE" });
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error) || ++inVain >= patience) throw error;
      await sleep(pauseAfter(inVain), signal);
    }
  }
}

async function* oneConnection(
  transport: Transport,
  variables: { readonly id: string; readonly after: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<RunEvent | "complete", void, void> {
  const response = await transport.send({
    path: "/graphql/stream",
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: runProgressText, variables }),
    isRepeatable: true,
    signal,
  });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
    assertAnswered(await readAnswer(response), response);
    throw new ApiError(`${response.url}: expected events`, { code: "BAD_ANSWER", ...originOf(response) });
  }
  for await (const { event, data } of readEvents(response.body)) {
    if (event === "complete") yield "complete";
    if (event !== "next") continue;
    const answer = JSON.parse(data) as Answer;
    assertAnswered(answer, response);
    yield answer.data!["runProgress"] as RunEvent;
  }
}

/** A connection that broke, or a server that is about to go or to come. What it said of the request itself stays. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || ["UNREACHABLE", "UNAVAILABLE"].includes(error.code);
}
