#!/usr/bin/env node
/** The entry of the command line: `autoifs <command>`. */
import { runCli } from "./runCli.ts";

const exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  onInterrupt(listener) {
    // A second Ctrl-C finds no listener, and ends the process.
    process.once("SIGINT", listener);
    return () => process.off("SIGINT", listener);
  },
});
// A server that could not begin has set its own.
process.exitCode ||= exitCode;
