/** One command line from its words to its exit code. It ends no process and reads nothing but what it is given. */
import { ApiError, createClient } from "../client/index.ts";
import type { Client } from "../client/index.ts";
import { clientConfig } from "../config.ts";
import { ProductError } from "../errors.ts";
import { Interrupted, UsageError } from "./command.ts";
import type { Surroundings } from "./command.ts";
import { commands } from "./commands.ts";
import { commandHelp, overview } from "./help.ts";
import { findCommand, parseCommandLine } from "./parseCommandLine.ts";

/** Done, failed, not understood, interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

const standardUrl = "http://127.0.0.1:4000";

/** `words` are those after the program's name. */
export async function runCli(words: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr, env } = surroundings;
  const isJson = words.includes("--json");
  try {
    if (words.length === 0 || words[0] === "--help" || words[0] === "help") {
      stdout.write(overview(commands));
      return words.length === 0 ? 2 : 0;
    }
    const { command, args, options, switches } = parseCommandLine(commands, words);
    if (switches.has("help")) {
      stdout.write(commandHelp(command));
      return 0;
    }
    const named = { ...clientConfig(env), ...options };
    const { url = standardUrl, token } = named;
    let client: Client | undefined;
    const result = await command.run({
      ...surroundings,
      args,
      options,
      switches,
      isJson,
      url,
      token,
      isServerNamed: named.url !== undefined || token !== undefined,
      client: () => (client ??= createClient({ url, ...(token === undefined ? {} : { token }) })),
    });
    if (result) stdout.write(isJson ? `${JSON.stringify(result.json, null, 2)}\n` : result.text);
    return result?.hasSucceeded === false ? 1 : 0;
  } catch (error) {
    stderr.write(isJson ? `${JSON.stringify({ error: errorMembers(error) })}\n` : errorText(error, words));
    return error instanceof UsageError ? 2 : error instanceof Interrupted ? 130 : 1;
  }
}

function errorMembers(error: unknown): object {
  const { message } = error as Error;
  if (error instanceof ApiError) return { message, ...error.detail };
  if (error instanceof ProductError) return { message, code: error.code, ...error.detail };
  if (error instanceof UsageError || error instanceof Interrupted) return { message, code: error.code };
  return { message, code: "INTERNAL" };
}

function errorText(error: unknown, words: readonly string[]): string {
  if (error instanceof Interrupted) return `${error.message}\n`;
  if (error instanceof UsageError) {
    const command = findCommand(commands, words);
    return `${error.message}\nSee autoifs ${command ? `${command.name} ` : ""}--help\n`;
  }
  if (!(error instanceof ApiError || error instanceof ProductError)) {
    return `${error instanceof Error ? error.stack : String(error)}\n`;
  }
  const { hint } = error.detail;
  const requestId = error instanceof ApiError ? error.requestId : undefined;
  // Some messages say it already.
  const more = hint && error.message.includes(hint) ? undefined : hint;
  const lines = [error.message, more, requestId && `(${error.code}, request ${requestId})`];
  return `${lines.filter(Boolean).join("\n")}\n`;
}
