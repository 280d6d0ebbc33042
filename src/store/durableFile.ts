/** Files that outlive a power cut, with their hash made on the way. Not where they end up: that is a rename. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { slicesOf } from "../largeFile.ts";

export interface WrittenFile {
  /** sha256, lower-case hexadecimal */
  readonly hash: string;
  readonly bytes: bigint;
}

/** Writes bytes, or a copy of the file at a path, to a new file, and brings it to the disk. */
export async function writeDurably(content: Uint8Array | string, target: string): Promise<WrittenFile> {
  const sha256 = createHash("sha256");
  let bytes = 0;
  const source = typeof content === "string" ? createReadStream(content) : slicesOf(content);
  const counted = async function* (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    for await (const chunk of chunks) {
      sha256.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  };
  await pipeline(source, counted, createWriteStream(target, { flags: "wx", flush: true }));
  return { hash: sha256.digest("hex"), bytes: BigInt(bytes) };
}

/** sha256 of what is in the file. */
export async function hashOfFile(path: string): Promise<string> {
  const sha256 = createHash("sha256");
  await pipeline(createReadStream(path), sha256);
  return sha256.digest("hex");
}

/** Brings a file, or the names in a folder, to the disk. */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
