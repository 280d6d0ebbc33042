/**
 * PUT /uploads/<name>: streams the body into the `uploads` folder below the data folder. The file appears under its
 * name only when it is complete and on disk; a file of that name before it is replaced as a whole.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { whileItComes } from "./readRequest.ts";

const names = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(csv|csv\.gz|parquet)$/;

export class TooLargeError extends InvalidInputError {}

export interface UploadTarget {
  /** The data folder. */
  readonly folder: string;
  /** The largest body, in bytes. */
  readonly limit: number;
  /** For the next byte of a body, in milliseconds. Default: a minute. */
  readonly idleMs?: number;
}

/**
 * Answers the path relative to the data folder, as `registerDataset` takes it, and the size in bytes. Throws
 * InvalidInputError for a name that is not safe, TooLargeError above the limit, Refusal where no more of the body comes;
 * then no file is left or replaced.
 */
export async function receiveUpload(
  request: IncomingMessage,
  name: string,
  { folder, limit, idleMs }: UploadTarget,
): Promise<{ file: string; bytes: number }> {
  if (!names.test(name)) {
    const expected = "up to 100 letters, digits, `.`, `_` and `-`, then .csv, .csv.gz or .parquet";
    throw new InvalidInputError(`upload: expected a name of ${expected}, got "${name}"`, {
      field: "name",
      expected,
      received: name,
    });
  }
  refuseAbove(limit, Number(request.headers["content-length"] ?? 0));
  const uploads = join(folder, "uploads");
  await mkdir(uploads, { recursive: true });
  const temporary = join(uploads, `.${name}.${randomUUID()}.part`);
  try {
    const bytes = await whileItComes(request, writeBody(request, temporary, limit), idleMs);
    await rename(temporary, join(uploads, name));
    await syncFolder(uploads);
    return { file: `uploads/${name}`, bytes };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeBody(request: IncomingMessage, path: string, limit: number): Promise<number> {
  const file = await open(path, "wx");
  try {
    let bytes = 0;
    // The request is not destroyed with the loop: a refusal is still to be answered on its socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      refuseAbove(limit, bytes);
      await file.writeFile(chunk);
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

function refuseAbove(limit: number, bytes: number): void {
  if (bytes <= limit) return;
  throw new TooLargeError(`upload: expected at most ${limit} bytes, got more`, {
    field: "body",
    expected: `at most ${limit} bytes`,
    hint: "put the file below the data folder, or raise AUTOIFS_UPLOAD_LIMIT",
  });
}

/** A rename is lasting only when the folder is on disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
