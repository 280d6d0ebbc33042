/** Parquet through DuckDB: which columns a file has, and their values as the text that categories are compared by. */
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { openDatabase, sqlName, sqlPath, sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { fileFault, shown } from "./faults.ts";

export interface ParquetColumn {
  readonly name: string;
  /** As DuckDB writes it, for example `DECIMAL(18,3)`. */
  readonly type: string;
}

/** The FROM clause of the file; columns that a folder name like `year=2024` would add are left out. */
export function fromParquet(file: string): string {
  return `read_parquet(${sqlPath(file)}, hive_partitioning=false)`;
}

/** Reads the footer only. Throws InvalidInputError when the file is not Parquet. */
export async function parquetColumns(file: string, database?: Database): Promise<ParquetColumn[]> {
  const used = database ?? (await openDatabase(tmpdir()));
  try {
    const rows = await used.rows(`DESCRIBE SELECT * FROM ${fromParquet(file)}`);
    return rows.map((row) => ({ name: String(row["column_name"]), type: String(row["column_type"]) }));
  } catch (cause) {
    throw parquetFault(file, cause);
  } finally {
    if (!database) await used.close();
  }
}

/** DuckDB's complaint about a file as an error of the file; being out of memory is not the file's fault. */
export function parquetFault(file: string, cause: unknown): unknown {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message.startsWith("Out of Memory")) return cause;
  const received = (message.split("\n")[0] ?? "").replaceAll(file, basename(file));
  return fileFault({ file, expected: "a Parquet file that can be read", received, cause });
}

const asIs = /^(VARCHAR|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN|DATE|TIME.*|UUID|ENUM\(.*\)|DECIMAL\(\d+,0\))$/;

/** What a list column is read as: the texts of its items with `separator` between them, as they would stand in a CSV file. */
export interface ListText {
  readonly column: string;
  readonly separator: string;
}

const list = /^(.*)\[\d*\]$/s;

/**
 * SQL for the text of a column: whole numbers without a point whatever their type (1.0 is "1"), other numbers in their
 * shortest form, booleans as true and false, NULL as the empty text. `textOf` in encodeValue.ts is its counterpart. `lists`: the
 * columns that may be lists. Throws InvalidInputError for other lists, structs and bytes.
 */
export function textOfParquet(
  file: string,
  column: ParquetColumn,
  expression: string,
  lists: readonly ListText[] = [],
): string {
  const { name, type } = column;
  const asList = lists.find((each) => each.column === name);
  const [, itemType] = asList ? (list.exec(type) ?? []) : [];
  if (asList && itemType !== undefined) {
    const item = textOfParquet(file, { name, type: itemType }, "item");
    const texts = `list_transform(${expression}, lambda item: ${item})`;
    return `coalesce(array_to_string(${texts}, ${sqlText(asList.separator)}), '')`;
  }
  const text = `CAST(${expression} AS VARCHAR)`;
  if (asIs.test(type)) return `coalesce(${text}, '')`;
  if (type === "FLOAT" || type === "DOUBLE") {
    const whole = `${expression} = trunc(${expression}) AND abs(${expression}) <= ${Number.MAX_SAFE_INTEGER}`;
    return `coalesce(CASE WHEN ${whole} THEN CAST(CAST(${expression} AS BIGINT) AS VARCHAR) ELSE ${text} END, '')`;
  }
  if (type.startsWith("DECIMAL")) return `coalesce(rtrim(rtrim(${text}, '0'), '.'), '')`;
  throw fileFault({ file, column: name, expected: "a column of text, numbers, booleans or dates", received: type });
}

/**
 * Throws InvalidInputError with the row of the first item of a list that has the separator in it, which would make two items of
 * one.
 */
export async function checkListItems(
  database: Database,
  file: string,
  columns: readonly ParquetColumn[],
  lists: readonly ListText[],
): Promise<void> {
  for (const { column: name, separator } of lists) {
    const column = columns.find((each) => each.name === name);
    const [, itemType] = list.exec(column?.type ?? "") ?? [];
    if (itemType === undefined) continue;
    const hasIt = `contains(${textOfParquet(file, { name, type: itemType }, "item")}, ${sqlText(separator)})`;
    const [found] = await database.rows(
      `SELECT row, items[1] AS item FROM (
         SELECT row_number() OVER () AS row, list_filter(${sqlName(name)}, lambda item: ${hasIt}) AS items
           FROM ${fromParquet(file)})
       WHERE len(items) > 0 ORDER BY row LIMIT 1`,
    );
    if (!found) continue;
    const expected = `items without the separator ${JSON.stringify(separator)}`;
    const hint = "declare another separator, which no item has in it";
    throw fileFault({ file, column: name, line: Number(found["row"]), expected, received: shown(found["item"]), hint });
  }
}
