/** How faults are told: where, what was expected, what came. Of a data file, and of a member of an input. */
import { basename } from "node:path";
import { InvalidInputError } from "../errors.ts";
import type { ErrorDetail } from "../errors.ts";
import { formatOf } from "./fileFormat.ts";

export interface FileFault {
  readonly file: string;
  readonly expected: string;
  readonly received: string;
  readonly column?: string;
  /** Counts from 1; the header of a CSV is line 1. In a Parquet file the row. */
  readonly line?: number;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** For example `views.csv, line 17, column "click": expected 0 or 1, got "yes"`. */
export function fileFault({ file, expected, received, column, line, hint, cause }: FileFault): InvalidInputError {
  const name = basename(file);
  const where = [
    name,
    ...(line === undefined ? [] : [`${formatOf(file) === "PARQUET" ? "row" : "line"} ${line}`]),
    ...(column === undefined ? [] : [`column ${JSON.stringify(column)}`]),
  ].join(", ");
  return fault(where, { expected, received, field: column, line, hint }, cause);
}

/** For example `input.fields[2].minimumCount: expected a whole number from 1, got 0`; `field` is that path. */
export function inputFault(field: string, expected: string, received: string, hint?: string): InvalidInputError {
  return fault(field, { field, expected, received, hint });
}

function fault(where: string, detail: ErrorDetail, cause?: unknown): InvalidInputError {
  const advice = detail.hint === undefined ? "" : ` (${detail.hint})`;
  const message = `${where}: expected ${detail.expected}, got ${detail.received}${advice}`;
  const known = Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined));
  return new InvalidInputError(message, known, cause);
}

const longest = 60; // characters of a value worth showing

/** A value as it is shown in a message: text in quotes, cut when long. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
