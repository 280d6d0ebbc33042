/** The bytes of a CSV file, plain or gzip, as a stream of chunks. Knows nothing of lines and cells. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { fileFault } from "./faults.ts";
import { formatOf } from "./fileFormat.ts";

const chunkBytes = 256 * 1024;

/**
 * Yields the decompressed bytes of `file` in order; a reader that stops early closes the file. `onRead` is told how
 * many bytes of the file itself were read so far. Throws InvalidInputError when a .gz is not gzip, damaged or cut off.
 */
export async function* csvBytes(file: string, onRead?: (bytes: number) => void): AsyncGenerator<Buffer> {
  const source = createReadStream(file, { highWaterMark: chunkBytes });
  if (formatOf(file) !== "CSV_GZ") {
    for await (const chunk of source) {
      onRead?.(source.bytesRead);
      yield chunk;
    }
    return;
  }
  const plain = createGunzip({ chunkSize: chunkBytes });
  // The error of either stream reaches the reader of `plain`; the callback only keeps it from being thrown twice.
  pipeline(source, plain, () => {});
  try {
    for await (const chunk of plain) {
      onRead?.(source.bytesRead);
      yield chunk;
    }
  } catch (cause) {
    throw gzipFault(file, cause);
  }
}

function gzipFault(file: string, cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const hint = "the name of a plain CSV file ends in .csv";
  switch (code) {
    case "Z_BUF_ERROR":
      return fileFault({ file, expected: "a complete gzip file", received: "one that is cut off", cause });
    case "Z_DATA_ERROR":
      return fileFault({
        file,
        expected: "a gzip file",
        received: `bytes that are not (${String(cause)})`,
        hint,
        cause,
      });
    default:
      return cause;
  }
}
