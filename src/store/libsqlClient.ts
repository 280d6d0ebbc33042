/**
 * The part of @libsql/client's `Client` that Prisma's adapter uses, on one connection of the `libsql` package: it waits
 * for others without holding the thread, and every write takes the write lock before it begins.
 *
 * The client of @libsql/client does neither. It begins transactions DEFERRED, so that two processes that read and then
 * write block each other; it opens a connection per transaction and leaves the old one (two file handles) to the garbage
 * collector; and it leaves prepared statements that found the database busy "in progress", so that later commits fail.
 * Here such a statement is run again until it ends, and `exec`, which runs BEGIN IMMEDIATE, leaves none.
 */
import { channel } from "node:diagnostics_channel";
import type { Client } from "@libsql/client";
import Connection from "libsql";
import { shortWaitMs, whenFree } from "./busy.ts";

/** Hears of every statement that is run, as `{ sql }`; free of charge while nobody listens. For tests and benchmarks. */
export const statementChannel = channel("autoifs:statement");

export interface RanStatement {
  readonly sql: string;
  /** In which it ran or was refused. */
  readonly milliseconds: number;
}

/** Hears of every statement that has been run, as a RanStatement; free of charge too. For traces. */
export const ranChannel = channel("autoifs:statement-ran");

interface Statement {
  readonly sql: string;
  readonly args: readonly unknown[];
}

interface Result {
  readonly columns: string[];
  /** As declared; empty for an expression. */
  readonly columnTypes: string[];
  readonly rows: unknown[][];
  readonly rowsAffected: number;
}

/** The adapter calls one thing after the other, and nothing else between the begin and the end of a transaction. */
export function openClient(databaseFile: string): Client {
  const connection = new Connection(databaseFile, { timeout: shortWaitMs });
  const begin = () => whenFree(() => connection.exec("BEGIN IMMEDIATE"));
  const rollback = () => {
    // After some errors (a full disk) SQLite has done it already.
    if (connection.inTransaction) connection.exec("ROLLBACK");
  };
  const commit = () => {
    try {
      connection.exec("COMMIT");
    } finally {
      rollback();
    }
  };
  const client = {
    async execute(statement: Statement): Promise<Result> {
      if (isRead(statement)) {
        const read = await whenFree(() => prepare(connection, statement));
        return whenFree(read);
      }
      await begin();
      try {
        const result = prepare(connection, statement)();
        commit();
        return result;
      } finally {
        rollback();
      }
    },
    async transaction() {
      await begin();
      return {
        execute: async (statement: Statement) => prepare(connection, statement)(),
        commit: async () => commit(),
        rollback: async () => rollback(),
      };
    },
    close: () => connection.close(),
  };
  return client as unknown as Client;
}

/** Prisma's reads. They find the database busy only while another process opens or closes its log. */
function isRead({ sql }: Statement): boolean {
  return /^\s*SELECT\b/i.test(sql);
}

/** The statement, to be run; where it was refused, to be run again. */
function prepare(connection: Connection.Database, { sql, args }: Statement): () => Result {
  if (statementChannel.hasSubscribers) statementChannel.publish({ sql });
  const statement = connection.prepare(sql);
  const values = args.map((value) => (typeof value === "boolean" ? Number(value) : value));
  if (!statement.reader) {
    return timed(sql, () => ({ columns: [], columnTypes: [], rows: [], rowsAffected: statement.run(values).changes }));
  }
  const columns = statement.columns();
  // Integers as bigint, for one beyond 2^53 would be rounded.
  statement.safeIntegers(true).raw(true);
  return timed(sql, () => ({
    columns: columns.map(({ name }) => name),
    columnTypes: columns.map(({ type }) => type ?? ""),
    rows: statement.all(values) as unknown[][],
    rowsAffected: 0,
  }));
}

function timed(sql: string, run: () => Result): () => Result {
  return () => {
    if (!ranChannel.hasSubscribers) return run();
    const begun = performance.now();
    try {
      return run();
    } finally {
      ranChannel.publish({ sql, milliseconds: performance.now() - begun } satisfies RanStatement);
    }
  };
}
