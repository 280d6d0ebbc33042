/** Prisma's connection to the SQLite file. One connection per process, a write lock from the start of each transaction. */
import type { Client, Config, Transaction } from "@libsql/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";
import { PrismaClient } from "./client/client.ts";
import type { Prisma } from "./client/client.ts";

export type Database = PrismaClient;
/** Inside `database.$transaction(...)`. */
export type DatabaseTransaction = Prisma.TransactionClient;

/** How long a statement waits for another process's write, in milliseconds. */
export const busyTimeoutMs = 5000;

export function connect(databaseFile: string): Database {
  const adapter = new ImmediateLibSql({
    url: `file:${databaseFile}`,
    // The default gives numbers, and an integer column beyond 2^53 (bytes) would throw.
    intMode: "bigint",
    timeout: busyTimeoutMs,
  });
  // maxWait covers a queue of transactions in this process behind another process's write.
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 15_000, timeout: 15_000 } });
}

/**
 * The adapter begins transactions DEFERRED: two processes that read and then write would both hold the read lock, and one
 * fails at once with SQLITE_BUSY whatever the timeout. BEGIN IMMEDIATE waits for its turn instead. It also opens a new
 * connection for each transaction and leaves the old one to the garbage collector (two file handles each); here the
 * transaction runs on the one connection, which is safe because the adapter holds its lock from begin to end.
 */
class ImmediateLibSql extends PrismaLibSql {
  override createClient(config: Config): Client {
    const client = super.createClient(config);
    client.transaction = async () => {
      await client.execute("BEGIN IMMEDIATE");
      return transactionOn(client);
    };
    return client;
  }
}

function transactionOn(client: Client): Transaction {
  let closed = false;
  const rollback = async (): Promise<void> => {
    closed = true;
    await client.execute("ROLLBACK");
  };
  return {
    execute: (statement) => client.execute(statement),
    batch: async (statements) => {
      const results = [];
      for (const statement of statements) results.push(await client.execute(statement));
      return results;
    },
    executeMultiple: (sql) => client.executeMultiple(sql),
    async commit() {
      try {
        await client.execute("COMMIT");
        closed = true;
      } catch (error) {
        // A full disk, for example: without this the next BEGIN would find a transaction open.
        await rollback().catch(() => undefined);
        throw error;
      }
    },
    rollback,
    close: () => void (closed || rollback().catch(() => undefined)),
    get closed() {
      return closed;
    },
  };
}
