/** Prisma's client for the SQLite file. */
import type { Client } from "@libsql/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";
import { PrismaClient } from "./client/client.ts";
import type { Prisma } from "./client/client.ts";
import { openClient } from "./libsqlClient.ts";

export type Database = PrismaClient;
/** Inside `database.$transaction(...)`. */
export type DatabaseTransaction = Prisma.TransactionClient;

export function connect(databaseFile: string): Database {
  // maxWait covers a queue of transactions in this process behind another process's write.
  const transactionOptions = { maxWait: 15_000, timeout: 15_000 };
  return new PrismaClient({ adapter: new OneConnection(databaseFile), transactionOptions });
}

class OneConnection extends PrismaLibSql {
  readonly #databaseFile: string;

  constructor(databaseFile: string) {
    super({ url: `file:${databaseFile}` });
    this.#databaseFile = databaseFile;
  }

  override createClient(): Client {
    return openClient(this.#databaseFile);
  }
}
