/** A server over a store with many runs, straight from the tables, that counts the SQL statements of a request. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Connection from "libsql";
import { fillRuns } from "../../bench/fillRuns.ts";
import { hearStatements } from "../../bench/statements.ts";
import { loadConfig } from "../../src/config.ts";
import { openStore } from "../../src/store/store.ts";
import { startTestServer } from "./testServer.ts";
import type { Answer, TestServer } from "./testServer.ts";

export interface FilledServer extends TestServer {
  /** The answer, and the SQL statements it took. The server is in this process. Fails where there are errors. */
  counted(
    document: string,
    variables?: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly data: Answer["data"]; readonly statements: readonly string[] }>;
  /** SQL, past the server. */
  change(sql: string): void;
}

/** Every fourth run is a SEARCH, the two after it are its PRUNEs, then TOWERS; over 5 datasets. */
export async function startFilledServer(runs: number): Promise<FilledServer> {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-filled-"));
  const config = loadConfig({ AUTOIFS_DATA: folder });
  await (await openStore(config)).close();
  fillRuns({ databaseFile: config.databaseFile, runs, points: 72, seed: 1 });
  const server = await startTestServer({ folder, settings: { AUTOIFS_COST_LIMIT: "1000000000" } });
  return {
    ...server,
    async counted(document, variables = {}) {
      const statements: string[] = [];
      const stop = hearStatements((sql) => statements.push(sql));
      const { data, errors } = await server.query(document, variables).finally(stop);
      if (errors) throw new Error([errors[0]!.message, ...server.log].join("\n"));
      return { data, statements };
    },
    change(sql) {
      const connection = new Connection(config.databaseFile);
      connection.exec(sql);
      connection.close();
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
