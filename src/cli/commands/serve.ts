/** `autoifs serve`. */
import type { Command } from "../command.ts";

export const serveCommand: Command = {
  name: "serve",
  takes: [],
  summary: "Run the server in this process, with its workers",
  details:
    "It is the same as npm start. Settings come from the environment: AUTOIFS_DATA, AUTOIFS_PORT, AUTOIFS_WORKERS and others.",
  isLocal: true,
  example: "serve",
  async run() {
    await import("../../server.ts");
  },
};
