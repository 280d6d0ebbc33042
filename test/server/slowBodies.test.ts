/** Bodies that take their time, and those of which no more comes. */
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttpServer } from "../../src/server/http.ts";
import type { HttpParts } from "../../src/server/http.ts";
import { readJson } from "../../src/server/readRequest.ts";
import { Refusal } from "../../src/server/refusal.ts";
import { receiveUpload } from "../../src/server/uploads.ts";

const idleMs = 400;
const late = new Refusal(408, "expected a body, but no byte of it came for 0.4 seconds");

/** Sends the parts of a body of 12 bytes, a little apart; gives what was read, or why not. */
async function read(reading: (request: IncomingMessage) => Promise<unknown>, parts: readonly string[]) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  const heard = once(server, "request");
  socket.write("PUT / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n");
  const [request] = (await heard) as [IncomingMessage];
  const outcome = reading(request).catch((error: unknown) => error);
  for (const part of parts) {
    await pause(idleMs / 4);
    socket.write(part);
  }
  return outcome;
}

const whole = ['{"a"', ":", "[", "1, ", "2", "]", "}"];
const broken = whole.slice(0, 2);

describe("a body that comes slowly", () => {
  it("is read to its end, however long that takes, as JSON and as a file", async () => {
    const folder = await temporaryFolder();
    const upload = (request: IncomingMessage) => receiveUpload(request, "a.csv", { folder, limit: 100, idleMs });
    expect(await Promise.all([read((request) => readJson(request, idleMs), whole), read(upload, whole)])).toEqual([
      { a: [1, 2] },
      { file: "uploads/a.csv", bytes: 12 },
    ]);
  });

  it("is refused when no more of it comes, and no file is left", async () => {
    const folder = await temporaryFolder();
    const upload = (request: IncomingMessage) => receiveUpload(request, "a.csv", { folder, limit: 100, idleMs });
    expect(await Promise.all([read((request) => readJson(request, idleMs), broken), read(upload, broken)])).toEqual([
      late,
      late,
    ]);
    expect(await readdir(join(folder, "uploads"))).toEqual([]);
  });

  it("has no limit for all of it in the server, whose limit for headers stays", () => {
    const server = createHttpServer({ observation: {}, downloads: {} } as HttpParts);
    expect([server.requestTimeout, server.headersTimeout]).toEqual([0, 60_000]);
  });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-bodies-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
