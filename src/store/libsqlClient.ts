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

/** Statements that stay prepared. */
const mostPrepared = 200;

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
  const reads = preparedReads(connection);
  const client = {
    async execute(statement: Statement): Promise<Result> {
      if (isRead(statement)) return reads(statement);
      await begin();
      try {
        const result = execute(connection, statement);
        commit();
        return result;
      } finally {
        rollback();
      }
    },
    async transaction() {
      await begin();
      return {
        execute: async (statement: Statement) => execute(connection, statement),
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

/**
 * Reads outside of transactions: Prisma writes the same few texts, and to prepare one of 40 columns takes as long as to run it.
 * A statement is taken out while it is in use: one that finds the database busy is "in progress" until it was run to its end.
 */
function preparedReads(connection: Connection.Database): (statement: Statement) => Promise<Result> {
  const prepared = new Map<string, Prepared>();
  return async ({ sql, args }) => {
    if (statementChannel.hasSubscribers) statementChannel.publish({ sql });
    const statement = prepared.get(sql) ?? (await whenFree(() => prepare(connection, sql)));
    prepared.delete(sql);
    const result = await whenFree(() => timed(sql, () => statement.run(args)));
    prepared.set(sql, statement);
    if (prepared.size > mostPrepared) prepared.delete(prepared.keys().next().value!);
    return result;
  };
}

function execute(connection: Connection.Database, { sql, args }: Statement): Result {
  if (statementChannel.hasSubscribers) statementChannel.publish({ sql });
  const statement = prepare(connection, sql);
  return timed(sql, () => statement.run(args));
}

interface Prepared {
  run(args: readonly unknown[]): Result;
}

function prepare(connection: Connection.Database, sql: string): Prepared {
  const statement = connection.prepare(sql);
  const valuesOf = (args: readonly unknown[]) => args.map((arg) => (typeof arg === "boolean" ? Number(arg) : arg));
  if (!statement.reader) {
    const nothing = { columns: [], columnTypes: [], rows: [] };
    return { run: (args) => ({ ...nothing, rowsAffected: statement.run(valuesOf(args)).changes }) };
  }
  const described = statement.columns();
  const columns = described.map(({ name }) => name);
  const columnTypes = described.map(({ type }) => type ?? "");
  // Integers as bigint, for one beyond 2^53 would be rounded.
  statement.safeIntegers(true).raw(true);
  return {
    run: (args) => ({ columns, columnTypes, rows: statement.all(valuesOf(args)) as unknown[][], rowsAffected: 0 }),
  };
}

function timed(sql: string, run: () => Result): Result {
  if (!ranChannel.hasSubscribers) return run();
  const begun = performance.now();
  try {
    return run();
  } finally {
    ranChannel.publish({ sql, milliseconds: performance.now() - begun } satisfies RanStatement);
  }
}
