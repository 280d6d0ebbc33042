import { describe, expect, it } from "vitest";
import { ApiError, createClient } from "../../src/client/index.ts";
import type { Client } from "../../src/client/index.ts";

/** What a server is asked, one entry per request. */
interface Asked {
  readonly query: string;
  readonly variables: { readonly input?: Readonly<Record<string, unknown>>; readonly after?: number };
}

type Reply = () => Response;

/** A client whose server gives these answers one after the other, the last one for ever. */
function clientOf(...replies: readonly Reply[]): { client: Client; asked: Asked[] } {
  const asked: Asked[] = [];
  const client = createClient({
    url: "http://server",
    fetch: async (_, init) => {
      asked.push(JSON.parse(String(init?.body)) as Asked);
      return replies[Math.min(asked.length, replies.length) - 1]!();
    },
  });
  return { client, asked };
}

const broken: Reply = () => {
  throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
};
const json =
  (body: object, status = 200, headers: Record<string, string> = {}): Reply =>
  () =>
    new Response(JSON.stringify(body), { status, headers });
const refused = (code: string, status: number, headers?: Record<string, string>): Reply =>
  json({ errors: [{ message: code, extensions: { code } }] }, status, headers);
const made = json({ data: { registerTask: { task: { id: "task_1" }, userErrors: [] } } });
const cancelled = json({ data: { cancelRun: { run: { id: "run_1" }, userErrors: [] } } });

const input = { key: "click" };

describe("a request that creates something", () => {
  it("is sent again under the same key until a server answers", async () => {
    const { client, asked } = clientOf(broken, refused("UNAVAILABLE", 503), json({}, 502), made);
    expect((await client.registerTask({ input })).task.id).toBe("task_1");
    const keys = asked.map(({ variables }) => variables.input?.["idempotencyKey"]);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });

  it("keeps the key it is given, and has another one each time it is given none", async () => {
    const { client, asked } = clientOf(made);
    await client.registerTask({ input: { ...input, idempotencyKey: "mine" } });
    await client.registerTask({ input });
    await client.registerTask({ input });
    const keys = asked.map(({ variables }) => variables.input?.["idempotencyKey"]);
    expect(keys[0]).toBe("mine");
    expect(new Set(keys).size).toBe(3);
  });

  it("is not sent again where the server has refused it", async () => {
    const { client, asked } = clientOf(refused("INVALID_INPUT", 200), made);
    await expect(client.registerTask({ input })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(asked).toHaveLength(1);
  });
});

describe("a request that may not be done twice", () => {
  it("is sent once: nobody knows what became of it", async () => {
    const { client, asked } = clientOf(broken, cancelled);
    const error = await client.cancelRun({ input: { run: "run_1" } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: "UNREACHABLE",
      message: "http://server: expected a server, got none: connect ECONNREFUSED",
    });
    expect(asked).toHaveLength(1);
  });

  it("is sent again after 429, which says that it was not begun, when the server says", async () => {
    const { client, asked } = clientOf(refused("RATE_LIMITED", 429, { "retry-after": "1" }), cancelled);
    const begun = performance.now();
    await client.cancelRun({ input: { run: "run_1" } });
    expect(performance.now() - begun).toBeGreaterThan(990);
    expect(asked).toHaveLength(2);
  });
});

describe("a query", () => {
  it("is sent again, but not when its time was up, and not when the wait would be long", async () => {
    const answered = json({ data: { viewer: { name: "anybody", role: "ADMIN", tokenId: null } } });
    expect((await clientOf(broken, answered).client.viewer()).name).toBe("anybody");
    const slow = clientOf(refused("TIMEOUT", 503), answered);
    await expect(slow.client.viewer()).rejects.toMatchObject({ code: "TIMEOUT" });
    const busy = clientOf(refused("RATE_LIMITED", 429, { "retry-after": "600" }), answered);
    await expect(busy.client.viewer()).rejects.toMatchObject({ code: "RATE_LIMITED" });
    expect([slow.asked.length, busy.asked.length]).toEqual([1, 1]);
  });

  it("says what came where it was no answer of this API", async () => {
    const { client } = clientOf(() => new Response("<html>", { status: 404 }));
    await expect(client.viewer()).rejects.toMatchObject({ code: "BAD_ANSWER", detail: { status: 404 } });
  });

  it("ends when it is told to", async () => {
    const { client } = clientOf(broken);
    await expect(client.viewer({}, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });
});

describe("a client that follows a run", () => {
  const event = (sequence: number): string =>
    `event: next\ndata: {"data":{"runProgress":{"sequence":${sequence}}}}\n\n`;
  const streamed =
    (...parts: readonly (string | Error)[]): Reply =>
    () => {
      const rest = [...parts];
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const part = rest.shift();
          if (part === undefined) controller.close();
          else if (part instanceof Error) controller.error(part);
          else controller.enqueue(new TextEncoder().encode(part));
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
    };
  const followed = async (client: Client): Promise<number[]> => {
    const sequences: number[] = [];
    for await (const { sequence } of client.follow("run_1")) sequences.push(sequence);
    return sequences;
  };

  it("goes on after the last event where the connection breaks, and tells none twice", async () => {
    const [second, third] = [event(2), event(3)];
    const { client, asked } = clientOf(
      // Cut in the middle of an event, ended without a word, refused by a server that is closing, told twice.
      streamed(":\n\n", event(1), second.slice(0, 30), new TypeError("terminated")),
      streamed(second.slice(0, 9), second.slice(9)),
      refused("UNAVAILABLE", 503),
      streamed(second, `${third}event: complete\ndata:\n\n`),
    );
    expect(await followed(client)).toEqual([1, 2, 3]);
    expect(asked.map(({ variables }) => variables.after)).toEqual([0, 1, 2, 2]);
  });

  it("ends the connection when nobody listens any more", async () => {
    let isCancelled = false;
    const body = (): Response =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode(event(1))),
          cancel: () => void (isCancelled = true),
        }),
        { headers: { "content-type": "text/event-stream" } },
      );
    for await (const { sequence } of clientOf(body).client.follow("run_1")) {
      expect(sequence).toBe(1);
      break;
    }
    expect(isCancelled).toBe(true);
  });
});
