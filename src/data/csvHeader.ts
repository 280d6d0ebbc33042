/** The first record of a CSV file: the names of its columns. */
import { isUtf8 } from "node:buffer";
import { csvBytes } from "./csvBytes.ts";
import { fileFault } from "./faults.ts";

const longestHeader = 1024 * 1024; // bytes

/** Reads no further than the header. Throws InvalidInputError for an empty file, a damaged header, a repeated name. */
export async function readCsvHeader(file: string): Promise<string[]> {
  const text = await headerText(file);
  const columns = cellsOf(file, text);
  const seen = new Set<string>();
  for (const column of columns) {
    if (seen.has(column)) {
      throw fileFault({ file, line: 1, column, expected: "column names that differ", received: "this one twice" });
    }
    seen.add(column);
  }
  return columns;
}

/** The text of the header, without byte order mark and line end. */
async function headerText(file: string): Promise<string> {
  let bytes: Buffer = Buffer.alloc(0);
  let scanned = 0;
  let end = -1;
  let quoted = false;
  for await (const chunk of csvBytes(file)) {
    bytes = Buffer.concat([bytes, chunk]);
    for (; scanned < bytes.length && end < 0; scanned++) {
      if (bytes[scanned] === 0x22) quoted = !quoted;
      else if (bytes[scanned] === 0x0a && !quoted) end = scanned;
    }
    if (end >= 0 || bytes.length > longestHeader) break;
  }
  if (end < 0 && bytes.length > longestHeader) {
    const hint = "is this a CSV file?";
    throw fileFault({
      file,
      line: 1,
      expected: `a header below ${longestHeader} bytes`,
      received: "a longer one",
      hint,
    });
  }
  const header = end < 0 ? bytes : bytes.subarray(0, end);
  if (!isUtf8(header)) {
    throw fileFault({ file, line: 1, expected: "UTF-8 text", received: "other bytes", hint: "save the file as UTF-8" });
  }
  const text = header
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .replace(/\r$/, "");
  if (text === "") {
    throw fileFault({ file, line: 1, expected: "a header with the names of the columns", received: "nothing" });
  }
  return text;
}

function cellsOf(file: string, text: string): string[] {
  const cells: string[] = [];
  // A quoted cell with doubled quotes in it, or one without quotes; then the comma or the end.
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = cell.exec(text);
    if (!match) {
      const received = `a misplaced quote after ${cells.length} columns`;
      throw fileFault({ file, line: 1, expected: "names of columns, quoted as a whole or not at all", received });
    }
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "") return cells;
  }
}
