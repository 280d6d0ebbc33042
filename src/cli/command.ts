/** What a command is: a name, what it takes, and a function. Help, parsing and output are the same for all. */
import type { Client } from "../client/index.ts";

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a command line runs. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Calls the listener at Ctrl-C instead of ending the process, until what it gives is called; without it nobody interrupts. */
  onInterrupt?(listener: () => void): () => void;
}

export interface Option {
  /** What stands for the value in the help, for example `<key>`; without it the option is a switch. */
  readonly value?: string;
  /** What it does, with its default. */
  readonly text: string;
}

export interface Call extends Surroundings {
  /** The arguments by name; an optional one that is not given is not there. */
  readonly args: Readonly<Record<string, string>>;
  /** The options that take a value and were given. */
  readonly options: Readonly<Record<string, string>>;
  /** The switches that were given. */
  readonly switches: ReadonlySet<string>;
  readonly isJson: boolean;
  /** Where the server is. */
  readonly url: string;
  readonly token: string | undefined;
  /** True where the command line or the environment says where the server is, or brings a token. */
  readonly isServerNamed: boolean;
  client(): Client;
}

export interface Result {
  /** What `--json` prints. */
  readonly json: unknown;
  /** What people read. */
  readonly text: string;
  /** False where it came to nothing, though nothing was wrong with the request; default true. */
  readonly hasSucceeded?: boolean;
}

export interface Command {
  /** One word or two. */
  readonly name: string;
  /** Arguments in order, an optional one in brackets: `<file>`, `[run]`. */
  readonly takes: readonly string[];
  /** One sentence without a full stop. */
  readonly summary: string;
  /** More, where the summary does not say it all. */
  readonly details?: string;
  readonly options?: Readonly<Record<string, Option>>;
  /** True for a command that works on this machine and asks no server. */
  readonly isLocal?: boolean;
  /** What to type after `autoifs`. */
  readonly example: string;
  /** Nothing where it has printed for itself, or goes on by itself. */
  run(call: Call): Promise<Result | void>;
}

/** The command line cannot be understood. */
export class UsageError extends Error {
  readonly code = "USAGE";

  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** What runs goes on; only this command ends. */
export class Interrupted extends Error {
  readonly code = "INTERRUPTED";

  constructor(message: string) {
    super(message);
    this.name = "Interrupted";
  }
}

export const waitOption: Readonly<Record<string, Option>> = {
  wait: { text: "Wait until it has ended; Ctrl-C ends the waiting only." },
};

/** A whole number given as an option. Throws UsageError. */
export function wholeNumber({ options }: Pick<Call, "options">, name: string): number | undefined {
  const given = options[name];
  if (given === undefined || /^\d{1,10}$/.test(given)) return given === undefined ? undefined : Number(given);
  throw new UsageError(`--${name}: expected a whole number, got "${given}"`);
}

/** A number given as an option. Throws UsageError. */
export function number({ options }: Pick<Call, "options">, name: string): number | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() !== "" && Number.isFinite(value)) return value;
  throw new UsageError(`--${name}: expected a number, got "${given}"`);
}

/** One of some words given as an option, in small letters too. Throws UsageError. */
export function oneOf<Word extends string>(
  { options }: Pick<Call, "options">,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const word = words.find((one) => one === given.toUpperCase());
  if (word !== undefined) return word;
  throw new UsageError(`--${name}: expected ${words.join(", ")}, got "${given}"`);
}

/** An object without the members that are undefined. */
export function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
