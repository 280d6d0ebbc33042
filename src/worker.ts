/**
 * The worker process: takes imports and trainings off the queue, one at a time. A server begins it and tells it the
 * configuration; it ends when it is asked to, and when the server is gone.
 */
import { hostname } from "node:os";
import { openApp } from "./app.ts";
import type { Config } from "./config.ts";

const log = (line: string): void => console.error(`worker ${process.pid}: ${line}`);

const stop = new AbortController();
// More than once: whoever stops the whole group, and the server. Nothing but the save is waited for.
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
process.once("disconnect", () => stop.abort());
// The server may be gone before this line is reached.
if (!process.connected) stop.abort();
// Ctrl-C reaches every process of the terminal; the server decides when the worker ends.
process.on("SIGINT", () => undefined);

const app = await openApp(JSON.parse(process.argv[2]!) as Config, log);
await app.work(`${hostname()}:${process.pid}:${Date.now()}`, stop.signal);
await app.close();
// The channel to the server would keep the process alive.
process.disconnect?.();
