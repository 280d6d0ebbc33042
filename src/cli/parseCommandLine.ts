/** From words to a command with its arguments and options. */
import { parseArgs } from "node:util";
import type { Command, Option } from "./command.ts";
import { UsageError } from "./command.ts";

const serverOptions: Readonly<Record<string, Option>> = {
  url: { value: "<url>", text: "The server; default AUTOIFS_URL, or http://127.0.0.1:4000." },
  token: { value: "<secret>", text: "Secret of a token; default AUTOIFS_TOKEN, or none." },
};
const commonOptions: Readonly<Record<string, Option>> = {
  json: { text: "Print exactly one JSON document; errors, too, are JSON, on stderr." },
  help: { text: "Show what the command does." },
};

/** Its own, and those it has in common with others. */
export function optionsOf({ options, isLocal = false }: Command): Readonly<Record<string, Option>> {
  return { ...options, ...(isLocal ? {} : serverOptions), ...commonOptions };
}

export interface CommandLine {
  readonly command: Command;
  readonly args: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly switches: ReadonlySet<string>;
}

/** The command that the words begin with, the longest name first. */
export function findCommand(commands: readonly Command[], words: readonly string[]): Command | undefined {
  const begins = ({ name }: Command): boolean => name.split(" ").every((word, i) => words[i] === word);
  return commands.filter(begins).sort((a, b) => b.name.length - a.name.length)[0];
}

/** Throws UsageError. With `--help` nothing is required. */
export function parseCommandLine(commands: readonly Command[], words: readonly string[]): CommandLine {
  const command = findCommand(commands, words);
  if (!command) throw new UsageError(unknownCommand(commands, words));
  const { values, positionals } = parsed(command, words.slice(command.name.split(" ").length));
  const entries = Object.entries(values);
  const switches = new Set(entries.flatMap(([name, value]) => (value === true ? [name] : [])));
  const least = command.takes.filter((name) => name.startsWith("<")).length;
  const isHelp = switches.has("help");
  if (!isHelp && (positionals.length < least || positionals.length > command.takes.length)) {
    const expected = command.takes.join(" ") || "no arguments";
    throw new UsageError(`${command.name}: expected ${expected}, got ${positionals.join(" ") || "none"}`);
  }
  return {
    command,
    args: Object.fromEntries(positionals.map((value, i) => [(command.takes[i] ?? "").slice(1, -1), value])),
    options: Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    switches,
  };
}

function parsed(command: Command, args: string[]) {
  const options = Object.fromEntries(
    Object.entries(optionsOf(command)).map(([option, { value }]) => [
      option,
      { type: value === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${command.name}: ${(error as Error).message}`);
  }
}

function unknownCommand(commands: readonly Command[], words: readonly string[]): string {
  const [first = ""] = words;
  const related = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  const got = words.slice(0, related.length > 0 ? 2 : 1).join(" ");
  return `expected ${related.length > 0 ? `one of ${related.join(", ")}` : "a command"}, got "${got}"`;
}
