/** Files as one: tar, in the form (ustar) that every tar reads. It does not compress: arrays of numbers hardly would. */

export interface TarEntry {
  /** At most 100 bytes. */
  readonly name: string;
  readonly content: Uint8Array;
}

const block = 512;

/** The same entries give the same bytes. */
export function tarFile(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap(({ name, content }) => [
    header(name, content.length),
    content,
    padding(content.length),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(name: string, size: number): Uint8Array {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  bytes.write(name, 0);
  bytes.write(octal(0o644, 7), 100); // mode
  bytes.write(octal(0, 7), 108); // owner
  bytes.write(octal(0, 7), 116); // group
  bytes.write(octal(size, 11), 124);
  bytes.write(octal(0, 11), 136); // time
  bytes.write(" ".repeat(8), 148); // the checksum as it counts itself
  bytes.write("0", 156); // a file
  bytes.write("ustar\0" + "00", 257);
  const sum = bytes.reduce((a, b) => a + b, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

function padding(size: number): Uint8Array {
  return Buffer.alloc((block - (size % block)) % block);
}
