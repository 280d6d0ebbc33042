/** The identity of a dataset: the bytes of its file and what was asked to be made of them. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { canonicalJson } from "./canonicalJson.ts";
import type { DatasetSpec } from "./spec.ts";

/**
 * SHA-256 in hexadecimal over the bytes of the file (as they are, compressed or not) and the spec; the order in which
 * the members of the spec's objects were written does not matter, the order of its lists does. The name of the file
 * does not enter.
 */
export async function hashSource(file: string, spec: DatasetSpec): Promise<string> {
  // The first line changes when the same bytes and spec would give other ids.
  const lines = ["autoifs dataset 1", await hashFile(file), canonicalJson(spec)];
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

/** SHA-256 of the bytes of a file in hexadecimal. */
export async function hashFile(file: string): Promise<string> {
  const sha256 = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), sha256);
  return sha256.digest("hex");
}
