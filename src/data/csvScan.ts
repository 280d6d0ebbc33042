/**
 * The form of a CSV file, checked byte by byte in one pass before DuckDB reads it: UTF-8, quotes as in RFC 4180, the
 * same number of cells in every record. DuckDB lets some of these faults pass (`1,2,` in two columns) and fails on
 * others without a usable message. It builds no cell values: those are DuckDB's business.
 */
import { isUtf8 } from "node:buffer";
import { csvBytes } from "./csvBytes.ts";
import { fileFault } from "./faults.ts";

export interface CsvForm {
  /** Records after the header; blank lines are not records. */
  readonly records: number;
  /** Some record holds a line break in quotes. */
  readonly multiline: boolean;
  /** Some lines end in LF and others in CR LF. */
  readonly mixedLineEnds: boolean;
}

const comma = 0x2c;
const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from("\uFEFF");

// Where the scan stands. A record ends with the line feed, so CR is a state of its own.
const cellStart = 0;
const plainCell = 1;
const quotedCell = 2;
const quoteSeen = 3; // a quote inside a quoted cell: it ends the cell, or the next one makes it a doubled quote
const returnSeen = 4;

/** DuckDB refuses longer ones; usually a quote that is never closed. */
const longestRecord = 2_000_000;

/**
 * Scans the whole file. `onChunk` is given the decompressed bytes in order and waited for; `onRead` counts the bytes
 * of the file itself. Throws InvalidInputError with column and line at the first fault.
 */
export async function scanCsv(input: {
  readonly file: string;
  readonly columns: readonly string[];
  readonly onChunk?: (bytes: Buffer) => Promise<void>;
  readonly onRead?: (bytes: number) => void;
}): Promise<CsvForm> {
  const scanner = createScanner(input.file, input.columns);
  for await (const chunk of csvBytes(input.file, input.onRead)) {
    scanner.push(chunk);
    await input.onChunk?.(chunk);
  }
  return scanner.finish();
}

/** The lines (the header is line 1) on which records (the first after the header is 0) begin, in the order of these. */
export async function linesOfRecords(
  file: string,
  columns: readonly string[],
  records: readonly number[],
): Promise<number[]> {
  const wanted = new Set(records);
  const found = new Map<number, number>();
  const scanner = createScanner(file, columns, (record, line) => {
    if (wanted.has(record)) found.set(record, line);
  });
  for await (const chunk of csvBytes(file)) {
    scanner.push(chunk);
    if (found.size === wanted.size) break;
  }
  if (found.size < wanted.size) scanner.finish();
  return records.map((record) => {
    const line = found.get(record);
    if (line !== undefined) return line;
    throw new Error(`linesOfRecords: expected a record below the number of records, got ${record}`);
  });
}

function createScanner(
  file: string,
  columns: readonly string[],
  onRecord: (record: number, line: number) => void = () => {},
): { push(chunk: Buffer): void; finish(): CsvForm } {
  let state = cellStart;
  let line = 1;
  let recordLine = 1;
  let cellLine = 1;
  let cells = 0; // complete cells of the record so far
  let recordBytes = 0;
  let record = -1; // the header
  let multiline = false;
  let feeds = 0;
  let returns = 0;
  let atStart = true;
  let held: Buffer = Buffer.alloc(0); // the first bytes of a character that goes on in the next chunk

  const fault = (expected: string, received: string, place: { column?: string; line?: number; hint?: string } = {}) =>
    fileFault({ file, expected, received, line, ...place });

  const endRecord = (): void => {
    const blank = cells === 0 && recordBytes === 0;
    if (!blank) {
      if (cells + 1 !== columns.length) {
        throw fault(`${columns.length} cells`, `${cells + 1}`, { line: recordLine, column: columns[cells + 1] });
      }
      if (record >= 0) onRecord(record, recordLine);
      record++;
    }
    cells = 0;
    recordBytes = 0;
    recordLine = line;
    cellLine = line;
    state = cellStart;
  };

  /** Bytes of whole characters, known to be UTF-8. */
  const scan = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (state === quotedCell) {
        if (byte === quote) state = quoteSeen;
        else if (byte === lineFeed) {
          line++;
          multiline = true;
        } else if (byte === 0) throw zeroByte();
      } else if (byte === comma) {
        if (state === returnSeen) throw loneReturn();
        cells++;
        cellLine = line;
        state = cellStart;
      } else if (byte === lineFeed) {
        if (state === returnSeen) returns++;
        else feeds++;
        // A CR that ends the line is not part of a record: a line of nothing else is blank.
        if (state === returnSeen && recordBytes === 1) recordBytes = 0;
        line++;
        endRecord();
        continue;
      } else if (byte === quote) {
        if (state === cellStart || state === quoteSeen) state = quotedCell;
        else if (state === returnSeen) throw loneReturn();
        else throw misplacedQuote();
      } else if (state === returnSeen) throw loneReturn();
      else if (byte === carriageReturn) state = returnSeen;
      else if (state === quoteSeen) throw misplacedQuote();
      else if (byte === 0) throw zeroByte();
      else state = plainCell;
      if (++recordBytes > longestRecord) {
        throw fault(`a record of at most ${longestRecord} bytes`, "a longer one", {
          line: recordLine,
          hint: "is a quote never closed?",
        });
      }
    }
  };

  const here = (): { column?: string } => ({ column: columns[cells] });
  const zeroByte = () => fault("text", "a byte 0x00", here());
  const loneReturn = () => fault("lines that end in LF or CR LF", "a CR without LF", here());
  const misplacedQuote = () =>
    fault("quotes around a whole cell only", "a quote inside a cell", {
      ...here(),
      hint: "put the cell in quotes and double the quotes in it",
    });

  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const whole = bytes.length - unfinishedBytes(bytes);
      held = bytes.subarray(whole);
      let characters = bytes.subarray(0, whole);
      if (atStart && whole > 0) {
        atStart = false;
        if (characters.subarray(0, 3).equals(byteOrderMark)) characters = characters.subarray(3);
      }
      if (isUtf8(characters)) return scan(characters);
      const valid = validBytes(characters);
      scan(characters.subarray(0, valid)); // finds the place, or an earlier fault
      const received = `the byte 0x${characters[valid]!.toString(16).padStart(2, "0")}`;
      throw fault("UTF-8 text", received, { ...here(), hint: "save the file as UTF-8" });
    },
    finish() {
      if (held.length > 0) throw fault("UTF-8 text", "an incomplete character at the end of the file", here());
      if (state === quotedCell) {
        throw fault("a closing quote", "the end of the file", { ...here(), line: cellLine });
      }
      if (state === returnSeen) throw loneReturn();
      if (recordBytes > 0) endRecord();
      return { records: Math.max(0, record), multiline, mixedLineEnds: feeds > 0 && returns > 0 };
    },
  };
}

/** How many bytes at the end begin a UTF-8 character that is not complete; 0 to 3. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? back : 0;
    }
  }
  return 0;
}

/** How many bytes at the beginning are UTF-8, of bytes that are not all so. */
function validBytes(bytes: Buffer): number {
  // Decoding puts U+FFFD where a byte is wrong; one that the text itself holds is EF BF BD in the bytes too.
  const text = bytes.toString("utf8");
  for (let index = text.indexOf("\uFFFD"); index >= 0; index = text.indexOf("\uFFFD", index + 1)) {
    const offset = Buffer.byteLength(text.slice(0, index));
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return offset;
  }
  throw new Error("validBytes: expected bytes that are not UTF-8");
}
