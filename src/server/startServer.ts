/** A whole running server: the app, its HTTP surface, its workers. For the entry, the tests and the demo. */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openApp } from "../app.ts";
import type { Config } from "../config.ts";
import { createEventStreams } from "./eventStreams.ts";
import { startGraphql } from "./graphqlHandler.ts";
import { createHttpServer } from "./http.ts";
import { createWebSockets } from "./webSockets.ts";
import { startWorkers } from "./workers.ts";

export interface RunningServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** Takes no more requests, ends what is followed, lets all else in hand end, ends the workers and closes the store. */
  close(): Promise<void>;
}

/** After this, connections that are still open are cut. */
const drainTime = 10_000;

const standardLog = (line: string): void => console.error(line);

export async function startServer(config: Config, log: (line: string) => void = standardLog): Promise<RunningServer> {
  const app = await openApp(config, log);
  await mkdir(join(config.filesFolder, "uploads"), { recursive: true });
  const reportFault = (error: unknown, errorId = "-"): void =>
    log(`fault ${errorId}: ${error instanceof Error ? error.stack : String(error)}`);
  const graphql = await startGraphql(app.createContext, ({ errorId, error }) => reportFault(error, errorId));
  let closing: Promise<void> | undefined;
  const webSockets = createWebSockets(graphql.operations, reportFault);
  const eventStreams = createEventStreams(graphql.operations);
  const http = createHttpServer({
    graphql,
    webSockets,
    eventStreams,
    uploads: { folder: config.filesFolder, limit: config.uploadLimit },
    ready: async () => closing === undefined && (await app.ready()),
    reportFault,
  });
  try {
    await listen(http, config);
  } catch (error) {
    await graphql.stop();
    await app.close();
    throw error;
  }
  const workers = startWorkers(config, log);
  const ending = new AbortController();
  const leases = app.watchLeases(ending.signal);
  const shutDown = async (): Promise<void> => {
    await Promise.all([drain(http), webSockets.close(), eventStreams.close(), workers.stop()]);
    ending.abort();
    await leases;
    await graphql.stop();
    await app.close();
  };
  return { url: urlOf(http), close: () => (closing ??= shutDown()) };
}

async function listen(http: Server, { host, port }: Config): Promise<void> {
  http.listen(port, host);
  await once(http, "listening");
}

async function drain(http: Server): Promise<void> {
  const closed = once(http, "close");
  http.close();
  http.closeIdleConnections();
  const cut = setTimeout(() => http.closeAllConnections(), drainTime);
  await closed;
  clearTimeout(cut);
}

function urlOf(http: Server): string {
  const { address, family, port } = http.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
