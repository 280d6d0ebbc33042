/**
 * HTTP to one server, with `fetch` and nothing else. What may be repeated is sent again when the connection breaks, when a proxy
 * finds no server (502, 503) and when the server asks to wait (429), up to five times in all.
 */
import { ApiError, apiErrorOf } from "./apiError.ts";
import type { ServerError } from "./apiError.ts";

export interface ClientOptions {
  /** Of the server, for example `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Secret of a token; without it requests carry none. */
  readonly token?: string;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

export interface Sending {
  /** Below the server's URL, for example `/graphql`. */
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  /** Not of a GET. */
  readonly body?: string | Blob | Uint8Array | ReadableStream<Uint8Array>;
  /** Whether it may be sent again when nobody knows what became of it. */
  readonly isRepeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** The first answer that is final, whatever its status. Throws ApiError UNREACHABLE, or the reason of `signal`. */
  send(sending: Sending): Promise<Response>;
}

const attempts = 5;
const shortestPause = 200;
/** A server that asks for more than this is told of instead of waited for. */
const longestPause = 60_000;

export function createTransport({ url, token, fetch: given }: ClientOptions): Transport {
  const fetchNow: typeof fetch = (input, init) => (given ?? fetch)(input, init);
  const base = url.replace(/\/+$/, "");
  const once = async ({ path, method, headers = {}, body, signal }: Sending): Promise<Response> => {
    const init = {
      method,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body: body as BodyInit }),
      ...(signal ? { signal } : {}),
      // A body that is not there as a whole needs it.
      ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    };
    try {
      return await fetchNow(`${base}${path}`, init);
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ApiError(`${base}: expected a server, got none: ${reasonOf(cause)}`, { code: "UNREACHABLE" }, cause);
    }
  };

  return {
    async send(sending) {
      for (let attempt = 1; ; attempt++) {
        const standard = pauseAfter(attempt);
        try {
          const response = await once(sending);
          const pause = attempt < attempts ? await pauseBefore(response, sending, standard) : undefined;
          if (pause === undefined) return response;
          await sleep(pause, sending.signal);
        } catch (error) {
          if (!(error instanceof ApiError) || !sending.isRepeatable || attempt >= attempts) throw error;
          await sleep(standard, sending.signal);
        }
      }
    },
  };
}

/** Milliseconds until the next attempt; undefined where the answer is final. It reads the body only of those that are not. */
async function pauseBefore(response: Response, sending: Sending, standard: number): Promise<number | undefined> {
  const { status } = response;
  const isStream = sending.body instanceof ReadableStream;
  // What was refused with 429 was not begun, so even what may not be done twice may be sent again.
  if (isStream || !(status === 429 || (sending.isRepeatable && (status === 502 || status === 503)))) return undefined;
  const asked = Number(response.headers.get("retry-after") ?? Number.NaN);
  const pause = Number.isFinite(asked) ? asked * 1000 : standard;
  if (pause > longestPause) return undefined;
  const answer = await readAnswer(response.clone()).catch(() => undefined);
  // It was begun, and the same would take as long again.
  if (answer?.errors?.[0]?.extensions?.["code"] === "TIMEOUT") return undefined;
  await response.body?.cancel();
  return pause;
}

/** Milliseconds: 0.2, 0.4, 0.8 ... s, each up to a half longer, so that many clients do not come back together. */
export function pauseAfter(attempt: number): number {
  return Math.min(shortestPause * 2 ** (attempt - 1) * (1 + Math.random() / 2), longestPause);
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const leave = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal?.addEventListener("abort", leave, { once: true });
  });
}

export interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly ServerError[];
}

/** The body as JSON. Throws ApiError BAD_ANSWER for anything else. */
export async function readAnswer(response: Response): Promise<Answer & Readonly<Record<string, unknown>>> {
  const text = await response.text();
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null) return answer as Answer & Readonly<Record<string, unknown>>;
  } catch {
    // Told of below, with the beginning of what came.
  }
  const { status } = response;
  const message = `${response.url}: expected JSON, got status ${status}: ${text.slice(0, 100)}`;
  throw new ApiError(message, { code: "BAD_ANSWER", status });
}

/** Throws ApiError if the answer has errors. */
export function assertAnswered({ errors }: Answer, response: Pick<Response, "status" | "headers">): void {
  const [first, ...others] = errors ?? [];
  if (first) throw apiErrorOf([first, ...others], originOf(response));
}

export function originOf({ status, headers }: Pick<Response, "status" | "headers">): {
  status: number;
  requestId?: string;
} {
  const requestId = headers.get("x-request-id");
  return { status, ...(requestId === null ? {} : { requestId }) };
}

/** What `fetch` hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code ?? message) : message;
}
