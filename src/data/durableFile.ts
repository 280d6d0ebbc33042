/** Writing a file so that it survives a power cut, with its hash made on the way. Not where it ends up: that is a rename. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

export interface WrittenFile {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** Writes a new file, brings it to disk, and says what is in it. */
export async function writeDurably(
  file: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  };
  await pipeline(counted, createWriteStream(file, { flags: "wx", flush: true }));
  return { bytes, sha256: hash.digest("hex") };
}

/** Makes the names in a folder as durable as the files: to be called after renaming into it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
