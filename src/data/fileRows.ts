/**
 * The rows of a data file as texts, in the order of the file and a chunk at a time: for what is done with rows besides
 * making a dataset of them. Texts are those that the import of the same file would see.
 */
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readCsvHeader } from "./csvHeader.ts";
import { linesOfRecords, scanCsv } from "./csvScan.ts";
import { openDatabase, sqlName } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { fileFault } from "./faults.ts";
import { formatOf } from "./fileFormat.ts";
import { checkListItems, fromParquet, parquetColumns, parquetFault, textOfParquet } from "./parquet.ts";
import type { ListText } from "./parquet.ts";
import { fromCsv } from "./source.ts";

export interface FileRows {
  /** Of the whole file. */
  readonly rows: number;
  /** Chunks of `chunkRows` rows (the last one has what is left) from row `first` on, the first being 0. */
  read(first: number, chunkRows: number): AsyncGenerator<TextChunk>;
  /** The line of a row (the first is 0) in the CSV, or its number from 1 in a Parquet file. */
  lineOf(row: number): Promise<number>;
  close(): Promise<void>;
}

export interface TextChunk {
  readonly rows: number;
  /** By the columns that were asked for [columns][rows]; a missing value is the empty text. */
  readonly texts: readonly (readonly string[])[];
}

interface Table {
  readonly rows: number;
  /** SQL for the texts of the columns, and where they are from. */
  readonly texts: readonly string[];
  readonly from: string;
  lineOf(row: number): Promise<number>;
  /** What stopped the reading, as an error of the file where it is one. */
  faultOf(cause: unknown): unknown;
}

/**
 * Checks the form of the whole file first. Throws InvalidInputError with column and line where it is wrong, and where a
 * column is missing. `scratch` is a folder for the decompressed file.
 */
export async function openFileRows(input: {
  readonly file: string;
  readonly columns: readonly string[];
  /** Those of the columns that may be lists in a Parquet file; default: none. */
  readonly lists?: readonly ListText[];
  readonly scratch: string;
}): Promise<FileRows> {
  const database = await openDatabase(join(input.scratch, "spill"));
  try {
    const isParquet = formatOf(input.file) === "PARQUET";
    const table = await (isParquet ? parquetTable(database, input) : csvTable(input));
    return {
      rows: table.rows,
      read: (first, chunkRows) => chunksOf(database, table, first, chunkRows),
      lineOf: table.lineOf,
      close: () => database.close(),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

type Input = Parameters<typeof openFileRows>[0];

async function csvTable({ file, columns, scratch }: Input): Promise<Table> {
  const header = await readCsvHeader(file);
  const places = columns.map((column) => placeIn(file, header, column));
  const compressed = formatOf(file) === "CSV_GZ";
  const plain = compressed ? join(scratch, "rows.csv") : resolve(file);
  const copy = compressed ? await open(plain, "wx") : undefined;
  const form = await scanCsv({
    file,
    columns: header,
    ...(copy ? { onChunk: async (bytes: Buffer) => copy.writeFile(bytes) } : {}),
  }).finally(() => copy?.close());
  return {
    rows: form.records,
    texts: places.map((place) => `coalesce(c${place}, '')`),
    from: fromCsv(plain, header, form),
    lineOf: async (row) => (await linesOfRecords(file, header, [row]))[0]!,
    faultOf: (cause) => cause,
  };
}

async function parquetTable(database: Database, { file, columns, lists = [] }: Input): Promise<Table> {
  const path = resolve(file);
  const found = await parquetColumns(path, database);
  const names = found.map(({ name }) => name);
  const texts = columns.map((column) => {
    const place = placeIn(file, names, column);
    return textOfParquet(file, found[place]!, sqlName(column), lists);
  });
  await checkListItems(database, path, found, lists);
  const [count] = await database.rows(`SELECT count(*) AS rows FROM ${fromParquet(path)}`);
  return {
    rows: Number(count!["rows"]),
    texts,
    from: fromParquet(path),
    lineOf: async (row) => row + 1,
    faultOf: (cause) => parquetFault(path, cause),
  };
}

function placeIn(file: string, header: readonly string[], column: string): number {
  const place = header.indexOf(column);
  if (place >= 0) return place;
  throw fileFault({ file, column, expected: "a column of this name", received: "none" });
}

async function* chunksOf(
  database: Database,
  { rows, texts, from, faultOf }: Table,
  first: number,
  chunkRows: number,
): AsyncGenerator<TextChunk> {
  let waiting: string[][] = texts.map(() => []);
  let read = first;
  const stream = database.stream(`SELECT ${texts.join(", ")} FROM ${from} OFFSET ${first}`);
  try {
    for await (const chunk of stream) {
      for (const [index, column] of waiting.entries()) column.push(...(chunk.getColumnValues(index) as string[]));
      read += chunk.rowCount;
      while (waiting[0]!.length >= chunkRows) {
        yield { rows: chunkRows, texts: waiting.map((column) => column.slice(0, chunkRows)) };
        waiting = waiting.map((column) => column.slice(chunkRows));
      }
    }
  } catch (cause) {
    throw faultOf(cause);
  }
  // A stream that was disturbed ends early without an error.
  if (read !== rows) throw new Error(`fileRows: expected ${rows} rows from ${from}, got ${read}`);
  const left = waiting[0]!.length;
  if (left > 0) yield { rows: left, texts: waiting };
}
