/**
 * Brings the used columns of a file into DuckDB as text, in the order of the file: table `source`, columns c0, c1, ...
 * by their place in the file (so that no name of a column ever enters SQL), a missing value as the empty text.
 * Checks the form of the file, not what the cells mean.
 */
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readCsvHeader } from "./csvHeader.ts";
import { linesOfRecords, scanCsv } from "./csvScan.ts";
import type { CsvForm } from "./csvScan.ts";
import { sqlName, sqlPath, sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { fileFault } from "./faults.ts";
import { formatOf } from "./fileFormat.ts";
import { checkListItems, fromParquet, parquetColumns, parquetFault, textOfParquet } from "./parquet.ts";
import type { DatasetSpec } from "./spec.ts";

export interface Source {
  readonly file: string;
  readonly rows: number;
  /** The SQL name of a column. */
  column(name: string): string;
  /** The lines of rows (the first is 0) in the CSV, or their numbers from 1 in a Parquet file. */
  linesOf(rows: readonly number[]): Promise<number[]>;
}

export interface SourceInput {
  readonly file: string;
  readonly spec: DatasetSpec;
  readonly database: Database;
  /** A folder for the decompressed file. */
  readonly scratch: string;
  /** Bytes of the file read by the check of its form. */
  readonly onRead: (bytes: number) => void;
  /** The form is good, DuckDB begins to read. */
  readonly onChecked: () => void;
}

/** Creates and fills `source`. Throws InvalidInputError with column and line when the form of the file is wrong. */
export async function loadSource(input: SourceInput): Promise<Source> {
  return formatOf(input.file) === "PARQUET" ? loadParquet(input) : loadCsv(input);
}

/** The FROM clause of a plain CSV file of this form; its columns are c0, c1, ... */
export function fromCsv(file: string, columns: readonly string[], form: CsvForm): string {
  const options = [
    "auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='', null_padding=false",
    // DuckDB's strict mode takes one kind of line end only; the form was checked already.
    `strict_mode=${!form.mixedLineEnds}`,
    // To find where a record begins, parallel readers guess; with line breaks in quotes a guess can be wrong.
    `parallel=${!form.multiline}`,
    `columns={${columns.map((_, index) => `'c${index}': 'VARCHAR'`).join(", ")}}`,
  ].join(", ");
  return `read_csv(${sqlPath(file)}, ${options})`;
}

async function loadCsv({ file, spec, database, scratch, onRead, onChecked }: SourceInput): Promise<Source> {
  const columns = await readCsvHeader(file);
  // Decompressed once, here: DuckDB reads a gzip file on one thread and does not see that it is cut off.
  const compressed = formatOf(file) === "CSV_GZ";
  const plain = compressed ? join(scratch, "source.csv") : resolve(file);
  const copy = compressed ? await open(plain, "wx") : undefined;
  const form = await scanCsv({
    file,
    columns,
    onRead,
    ...(copy ? { onChunk: async (bytes: Buffer) => copy.writeFile(bytes) } : {}),
  }).finally(() => copy?.close());
  if (form.records === 0) {
    throw fileFault({ file, line: 2, expected: "rows after the header", received: "the end of the file" });
  }
  onChecked();

  const used = usedColumns(spec).map((name) => columns.indexOf(name));
  const texts = used.map((index) => `coalesce(c${index}, '') AS c${index}`);
  await createSource(database, spec, texts, fromCsv(plain, columns, form));
  const rows = await countRows(database);
  if (rows !== form.records) {
    throw new Error(`loadSource: expected DuckDB to read ${form.records} records of ${file}, got ${rows}`);
  }
  return {
    file,
    rows,
    column: (name) => `c${columns.indexOf(name)}`,
    linesOf: (rows) => linesOfRecords(file, columns, rows),
  };
}

async function loadParquet({ file, spec, database, onChecked }: SourceInput): Promise<Source> {
  const path = resolve(file);
  const columns = await parquetColumns(path, database);
  const labels = new Set(spec.labels.map((label) => label.column));
  const lists = spec.fields.flatMap((field) => ("separator" in field ? [field] : []));
  const texts = usedColumns(spec).map((name) => {
    const index = columns.findIndex((column) => column.name === name);
    const column = columns[index]!;
    const isTruth = column.type === "BOOLEAN" && labels.has(name); // a label may be false and true as well as 0 and 1
    const value = isTruth ? `CAST(${sqlName(name)} AS INTEGER)` : sqlName(name);
    return `${textOfParquet(file, column, value, lists)} AS c${index}`;
  });
  await checkListItems(database, path, columns, lists);
  onChecked();
  try {
    await createSource(database, spec, texts, fromParquet(path));
  } catch (cause) {
    throw parquetFault(path, cause);
  }
  const rows = await countRows(database);
  if (rows === 0) throw fileFault({ file, expected: "rows", received: "none" });
  return {
    file,
    rows,
    column: (name) => `c${columns.findIndex((column) => column.name === name)}`,
    linesOf: async (rows) => rows.map((row) => row + 1),
  };
}

/** With a random split every row also gets its draw, which depends on the seed and the number of the row alone. */
async function createSource(database: Database, spec: DatasetSpec, texts: string[], from: string): Promise<void> {
  const draw =
    spec.split.kind === "RANDOM"
      ? [`md5_number_lower(${sqlText(`${spec.split.seed}:`)} || row_number() OVER ()) AS draw`]
      : [];
  await database.run(`CREATE TABLE source AS SELECT ${[...texts, ...draw].join(", ")} FROM ${from}`);
}

async function countRows(database: Database): Promise<number> {
  return Number((await database.rows("SELECT count(*) AS rows FROM source"))[0]!["rows"]);
}

function usedColumns(spec: DatasetSpec): string[] {
  const { fields, scenario, labels, split, group, time } = spec;
  const optional = [...(group ? [group] : []), ...(time ? [time] : []), ...(split.kind === "RANDOM" ? [] : [split])];
  return [...new Set([...fields, scenario, ...labels, ...optional].map(({ column }) => column))];
}
