/** Sends a file that never changes, whole or a range of it: with its hash as ETag, so that a download can go on where it broke off. */
import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

export interface Download {
  readonly path: string;
  /** SHA-256 of its content. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  readonly format: keyof typeof formats;
}

const formats = {
  JSONL: { contentType: "application/x-ndjson; charset=utf-8", ending: "jsonl" },
  PARQUET: { contentType: "application/vnd.apache.parquet", ending: "parquet" },
  ONNX: { contentType: "application/octet-stream", ending: "onnx" },
  TFJS: { contentType: "application/x-tar", ending: "tar" },
} as const;

interface Range {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

/** Answers GET and HEAD; a browser calls the file `name` with the ending of its format. Ends quietly where the client leaves. */
export async function sendDownload(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  name: string,
  { path, hash, size, format }: Download,
): Promise<void> {
  const etag = `"${hash}"`;
  response.setHeader("etag", etag);
  response.setHeader("accept-ranges", "bytes");
  // It is not for everybody, and it does not change.
  response.setHeader("cache-control", "private, max-age=31536000, immutable");
  if (names(headers["if-none-match"], etag)) return void response.writeHead(304).end();

  const wanted = headers["if-range"] === undefined || headers["if-range"] === etag ? headers.range : undefined;
  const range = rangeOf(wanted, size);
  if (range === "UNSATISFIABLE") return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
  response.setHeader("content-type", formats[format].contentType);
  response.setHeader("content-disposition", `attachment; filename="${name}.${formats[format].ending}"`);
  response.setHeader("content-length", range ? range.end - range.start + 1 : size);
  if (range) response.setHeader("content-range", `bytes ${range.start}-${range.end}/${size}`);
  response.statusCode = range ? 206 : 200;
  if (method === "HEAD" || size === 0) return void response.end();
  await pipeline(createReadStream(path, range ?? {}), response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  });
}

function names(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

/** The one range that is asked for; undefined, which is the whole file, for anything else than one. */
function rangeOf(header: string | undefined, size: number): Range | "UNSATISFIABLE" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [first, last] = [match[1]!, match[2]!];
  const range =
    first === ""
      ? { start: Math.max(0, size - Number(last)), end: size - 1 }
      : { start: Number(first), end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  return range.start < size && (first !== "" || Number(last) > 0) ? range : "UNSATISFIABLE";
}
