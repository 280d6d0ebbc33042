/** A whole running server: the app, its HTTP surface, its workers. For the entry, the tests and the demo. */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { observe, openApp } from "../app.ts";
import type { App } from "../app.ts";
import type { Config } from "../config.ts";
import { InvalidInputError } from "../errors.ts";
import { whenAnswered } from "./answered.ts";
import type { Fault } from "../graphql/formatError.ts";
import { createEventStreams } from "./eventStreams.ts";
import { startGraphql } from "./graphqlHandler.ts";
import { createHttpServer } from "./http.ts";
import { createInference } from "./inference.ts";
import { createPoints } from "./points.ts";
import { createVisitors, isLoopback } from "./visitors.ts";
import { createWebSockets } from "./webSockets.ts";
import { startWorkers } from "./workers.ts";

export interface RunningServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** True if everybody on this machine may do everything. */
  readonly isOpen: boolean;
  /** Takes no more requests, ends what is followed, lets all else in hand end, ends the workers and closes the store. */
  close(): Promise<void>;
}

/** After this, connections that are still open are cut. */
const drainTime = 10_000;

/** `write` gets the lines of the log; default: stderr. */
export async function startServer(config: Config, write?: (line: string) => void): Promise<RunningServer> {
  const observation = await observe("server", config, write);
  const app = await openApp(config, observation);
  await mkdir(join(config.filesFolder, "uploads"), { recursive: true });
  const reportFault = ({ error, ...ids }: Fault): void =>
    observation.log.error(`fault ${ids.errorId ?? ""}: ${String(error)}`, { ...ids, error });
  const { origins } = config;
  let closing: Promise<void> | undefined;
  try {
    assertGuarded(config, app);
  } catch (error) {
    await app.close();
    throw error;
  }
  const takePoints = createPoints(config.rateLimit);
  const ready = async (): Promise<boolean> => closing === undefined && (await app.ready());
  const graphql = await startGraphql({
    createContext: app.createContext,
    report: reportFault,
    limits: { ...config, takePoints },
    documents: { file: config.documentsFile, only: config.documentsOnly },
    introspection: config.introspection,
  }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  const visitors = createVisitors(app);
  const webSockets = createWebSockets({
    operations: graphql.operations,
    visitors,
    origins,
    reportFault: (error) => reportFault({ error }),
  });
  const eventStreams = createEventStreams(graphql.operations);
  const http = createHttpServer({
    graphql,
    inference: createInference({
      createContext: app.createContext,
      takePoints,
      timeLimitSeconds: config.timeLimitSeconds,
      ready,
    }),
    graphiql: config.graphiql,
    webSockets,
    eventStreams,
    visitors,
    origins,
    uploads: { folder: config.filesFolder, limit: config.uploadLimit },
    downloads: {
      exports: app.exportFile,
      "batch-predictions": app.batchPredictionFile,
      "model-exports": app.modelExportFile,
    },
    ready,
    observation,
    metrics: app.metrics,
    onAnswered: whenAnswered(observation),
    reportFault,
  });
  try {
    await listen(http, config);
  } catch (error) {
    await graphql.stop();
    await app.close();
    throw error;
  }
  const workers = startWorkers(config, observation);
  const ending = new AbortController();
  const leases = app.watch(ending.signal);
  const shutDown = async (): Promise<void> => {
    await Promise.all([drain(http), webSockets.close(), eventStreams.close(), workers.stop()]);
    ending.abort();
    await leases;
    await graphql.stop();
    await app.close();
    await observation.close();
  };
  return { url: urlOf(http), isOpen: app.isOpen(), close: () => (closing ??= shutDown()) };
}

/** Throws InvalidInputError where others than this machine could reach an installation without tokens. */
function assertGuarded({ host }: Config, app: App): void {
  if (isLoopback(host) || !app.isOpen()) return;
  const expected = "an address of this machine, such as 127.0.0.1, as long as there are no tokens";
  throw new InvalidInputError(
    `AUTOIFS_HOST: expected ${expected}, got "${host}"; make a token first: autoifs token create --name <name> --role ADMIN`,
    { field: "AUTOIFS_HOST", expected, received: host },
  );
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
