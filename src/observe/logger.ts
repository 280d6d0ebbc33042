/**
 * The log: one event per line on stderr, as JSON for machines or as text for people. Secrets do not get here; what is named like one is left out all the same.
 */
import { destination, pino, stdSerializers } from "pino";

export type LogFormat = "json" | "text";
/** From much to little: each takes in those after it. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What is to be said beside the message; `error` may be anything that was thrown. */
export type LogFields = Readonly<Record<string, unknown>>;

export type Logger = { readonly [Level in LogLevel]: (message: string, fields?: LogFields) => void };

export interface LoggerOptions {
  readonly format: LogFormat;
  /** What is below is dropped. */
  readonly level: LogLevel;
  /** Part of every event, for example the process. */
  readonly fields?: LogFields;
  /** Gets each line with its line break; default: stderr, written before the call returns, so that no end loses any. */
  readonly write?: (line: string) => void;
}

const secretNames = ["authorization", "cookie", "password", "secret", "token", "variables"];
const secrets = secretNames.flatMap((name) => [name, `*.${name}`]);

export function createLogger({ format, level, fields = {}, write = toStderr() }: LoggerOptions): Logger {
  const log = pino(
    {
      level,
      base: fields,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
      redact: { paths: secrets, remove: true },
    },
    { write: format === "json" ? write : (line: string) => write(asText(line)) },
  );
  return {
    debug: (message, extra = {}) => log.debug(extra, message),
    info: (message, extra = {}) => log.info(extra, message),
    warn: (message, extra = {}) => log.warn(extra, message),
    error: (message, extra = {}) => log.error(extra, message),
  };
}

/** Hears nothing. */
export const silence: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function toStderr(): (line: string) => void {
  const stderr = destination({ fd: 2, sync: true });
  return (line) => void stderr.write(line);
}

/** `12:30:01.123 warn  worker 17 ended requestId=… signal=SIGKILL`, the stack of an error below it. */
function asText(line: string): string {
  const { time, level, message, error, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const extra = Object.entries(rest).map(([name, value]) => ` ${name}=${shown(value)}`);
  const stack = (error as { stack?: unknown } | undefined)?.stack ?? error;
  const below = stack === undefined ? "" : `\n${shown(stack)}`;
  return `${String(time).slice(11, -1)} ${String(level).padEnd(5)} ${String(message)}${extra.join("")}${below}\n`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
