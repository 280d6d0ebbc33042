/**
 * The worker process of a server, which begins it and tells it the configuration; it ends when it is asked to, and when the
 * server is gone.
 */
import type { Config } from "./config.ts";
import { runWorker } from "./worker/runWorker.ts";

const stop = new AbortController();
// More than once: whoever stops the whole group, and the server. Nothing but the save is waited for.
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
process.once("disconnect", () => stop.abort());
// The server may be gone before this line is reached.
if (!process.connected) stop.abort();
// Ctrl-C reaches every process of the terminal; the server decides when the worker ends.
process.on("SIGINT", () => undefined);

// The server begins another one, and the lease of what it was at lapses.
if (!(await runWorker(JSON.parse(process.argv[2]!) as Config, stop.signal))) process.exit(1);
// The channel to the server would keep the process alive.
process.disconnect?.();
