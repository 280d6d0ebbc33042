/** A DuckDB database of one import: opened, asked, read as a stream, closed. The only file that knows its connections. */
import { availableParallelism } from "node:os";
import { DuckDBInstance } from "@duckdb/node-api";
import type { DuckDBConnection, DuckDBDataChunk, JS } from "@duckdb/node-api";

export interface Database {
  /** Runs statements without reading a result. */
  run(sql: string): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string): Promise<Record<string, JS>[]>;
  /** The chunks (at most 2048 rows each) of a large result, in its order. */
  stream(sql: string): AsyncGenerator<DuckDBDataChunk>;
  /** Fills a new table with two columns, `start` DOUBLE and `bucket` INTEGER. */
  bucketTable(name: string, rows: readonly { readonly start: number; readonly bucket: number }[]): Promise<void>;
  /** Fills a new table with two columns, `key` VARCHAR and `place` INTEGER, from 0 in the order of the keys. */
  keyTable(name: string, keys: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * In memory, spilling to `spillFolder` above 1 GB. Tables keep the order in which rows come. Nothing is downloaded:
 * an extension that is not built in is an error.
 */
export async function openDatabase(spillFolder: string): Promise<Database> {
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    memory_limit: "1GB",
    preserve_insertion_order: "true",
    temp_directory: spillFolder,
    // More threads need more memory each and gain little here.
    threads: String(Math.min(4, availableParallelism())),
  });
  const connection = await instance.connect();
  return {
    async run(sql) {
      await connection.run(sql);
    },
    async rows(sql) {
      return (await connection.run(sql)).getRowObjectsJS();
    },
    stream: (sql) => streamChunks(instance, sql),
    async bucketTable(name, rows) {
      await connection.run(`CREATE TABLE ${name} (start DOUBLE, bucket INTEGER)`);
      await appendBuckets(connection, name, rows);
    },
    async keyTable(name, keys) {
      await connection.run(`CREATE TABLE ${name} (key VARCHAR, place INTEGER)`);
      const appender = await connection.createAppender(name);
      for (const [place, key] of keys.entries()) {
        appender.appendVarchar(key);
        appender.appendInteger(place);
        appender.endRow();
      }
      appender.closeSync();
    },
    async close() {
      try {
        // Closing would free the tables on the calling thread; dropping them does so on DuckDB's.
        const tables = await connection.run("SELECT table_name FROM duckdb_tables()");
        for (const [name] of await tables.getRowsJS()) await connection.run(`DROP TABLE ${sqlName(String(name))}`);
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    },
  };
}

/** Another statement on the connection of an open stream ends the stream without an error, so each has its own. */
async function* streamChunks(instance: DuckDBInstance, sql: string): AsyncGenerator<DuckDBDataChunk> {
  const connection = await instance.connect();
  try {
    const result = await connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk;
    }
  } finally {
    connection.closeSync();
  }
}

async function appendBuckets(
  connection: DuckDBConnection,
  table: string,
  rows: readonly { readonly start: number; readonly bucket: number }[],
): Promise<void> {
  const appender = await connection.createAppender(table);
  for (const { start, bucket } of rows) {
    appender.appendDouble(start);
    appender.appendInteger(bucket);
    appender.endRow();
  }
  appender.closeSync();
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A path as DuckDB's readers take it: they read `*`, `?` and `[` as a pattern unless each stands in brackets. */
export function sqlPath(path: string): string {
  return sqlText(path.replace(/[*?[]/g, (character) => `[${character}]`));
}
