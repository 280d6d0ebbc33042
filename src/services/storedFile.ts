/** A file of the artifacts folder as a thread gets it: the thread itself checks that it is whole. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

export interface StoredFile {
  readonly path: string;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** Throws where the file is damaged; `reader` begins the message. */
export async function verifyFile({ path, sha256 }: StoredFile, reader: string): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") !== sha256) throw new Error(`${reader}: the file is damaged: expected ${sha256} (${path})`);
}
