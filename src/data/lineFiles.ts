/**
 * Files of rows for others to read: JSON lines, and Parquet made of them. One object per line, its members in the order of
 * the columns; the memory it takes does not grow with the rows.
 */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { openDatabase, sqlName, sqlPath, sqlText } from "./duckDb.ts";

/**
 * TIME: ISO 8601 in the lines, a timestamp in UTC in Parquet. JSON: any value, in Parquet its text. All may be null.
 */
export type ColumnType = "TEXT" | "INTEGER" | "NUMBER" | "TIME" | "JSON";

export interface LineColumn {
  readonly name: string;
  readonly type: ColumnType;
}

const sqlTypes: Readonly<Record<ColumnType, string>> = {
  TEXT: "VARCHAR",
  INTEGER: "BIGINT",
  NUMBER: "DOUBLE",
  TIME: "TIMESTAMPTZ",
  JSON: "JSON",
};

/** Bytes. DuckDB refuses longer lines, and each of its threads has twice as much in memory; a run has some thousand. */
const longestLine = 4 * 1024 * 1024;

/** Lines of at most this many characters are written at once. */
const pieceLength = 256 * 1024;

/** Writes a new file and answers how many rows it has. Every row has every column. */
export async function writeLines(file: string, rows: AsyncIterable<object>): Promise<number> {
  let count = 0;
  const pieces = async function* (): AsyncGenerator<string> {
    let piece = "";
    for await (const row of rows) {
      piece += `${JSON.stringify(row)}\n`;
      count++;
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = "";
    }
    yield piece;
  };
  await pipeline(pieces, createWriteStream(file, { flags: "wx" }));
  return count;
}

/** Writes the rows of such a file to a new Parquet file (ZSTD), in the same order: the same lines give the same bytes. */
export async function parquetFromLines(input: {
  readonly lines: string;
  readonly columns: readonly LineColumn[];
  readonly file: string;
  /** A folder for what does not fit into memory. */
  readonly scratch: string;
}): Promise<void> {
  const { lines, columns, file, scratch } = input;
  const types = columns.map(({ name, type }) => `${sqlName(name)}: ${sqlText(sqlTypes[type])}`).join(", ");
  const read = `read_json(${sqlPath(lines)}, format='newline_delimited', maximum_object_size=${longestLine}, columns={${types}})`;
  const chosen = columns.map(({ name, type }) =>
    type === "JSON" ? `CAST(${sqlName(name)} AS VARCHAR) AS ${sqlName(name)}` : sqlName(name),
  );
  const database = await openDatabase(scratch);
  try {
    await database.run(
      `COPY (SELECT ${chosen.join(", ")} FROM ${read}) TO ${sqlText(file)} (FORMAT PARQUET, COMPRESSION ZSTD)`,
    );
  } finally {
    await database.close();
  }
}
