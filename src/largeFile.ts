/** Files and arrays above 2 GiB, which Node neither reads, writes nor hashes in one piece. */
import { open } from "node:fs/promises";

const sliceBytes = 64 * 1024 * 1024;

/** Views of the bytes, one after the other. */
export function* slicesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += sliceBytes) yield bytes.subarray(start, start + sliceBytes);
}

/** The whole file. Throws as `fs.open` does where it is not there. */
export async function readLargeFile(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (const slice of slicesOf(bytes)) {
      for (let read = 0; read < slice.length;) {
        const { bytesRead } = await file.read(slice, read, slice.length - read);
        if (bytesRead === 0) throw new Error(`${path}: expected ${bytes.length} bytes, but the file is shorter`);
        read += bytesRead;
      }
    }
    return bytes;
  } finally {
    await file.close();
  }
}
