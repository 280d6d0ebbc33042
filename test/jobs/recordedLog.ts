/** A log that keeps what it is told. */
import type { LogFields, Logger } from "../../src/observe/logger.ts";

export interface RecordedLog extends Logger {
  readonly messages: readonly string[];
  readonly errors: readonly unknown[];
}

export function recordedLog(): RecordedLog {
  const messages: string[] = [];
  const errors: unknown[] = [];
  const keep = (message: string, fields?: LogFields): void => {
    messages.push(message);
    if (fields?.["error"] !== undefined) errors.push(fields["error"]);
  };
  return { debug: keep, info: keep, warn: keep, error: keep, messages, errors };
}
