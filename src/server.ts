/** The entry of the server: `node dist/src/server.js`. Settings come from the environment (config.ts). */
import { loadConfig } from "./config.ts";
import { ProductError } from "./errors.ts";
import { startServer } from "./server/startServer.ts";

try {
  const server = await startServer(loadConfig());
  console.log(`autoifs is ready at ${server.url}/graphql`);
  if (server.isOpen) console.log("there are no tokens: everybody on this machine may do everything");
  let isClosing = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // Whoever asks a second time does not want to wait. The workers end by themselves when the server is gone.
      if (isClosing) process.exit(1);
      isClosing = true;
      void server.close();
    });
  }
} catch (error) {
  console.error(explanation(error));
  process.exitCode = 1;
}

/** What the person who started it can do something about is said in a line; everything else with its stack. */
function explanation(error: unknown): string {
  if (error instanceof ProductError) return error.message;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return `AUTOIFS_PORT: expected a free port: ${message}`;
  return stack ?? String(error);
}
