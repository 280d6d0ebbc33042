/** Server-sent events out of the body of a response, as far as GraphQL over SSE uses them: `event` and `data`. */

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Ends with the body; throws where the connection breaks. A stop in between ends the connection. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const blocks = buffer.split(/\r?\n\r?\n/);
      buffer = blocks.pop()!;
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
  } finally {
    // Of a broken connection there is nothing left to end.
    await reader.cancel().catch(() => undefined);
  }
}

/** Undefined for a comment. */
function parsed(block: string): ServerSentEvent | undefined {
  let event: string | undefined;
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return event === undefined ? undefined : { event, data: data.join("\n") };
}
