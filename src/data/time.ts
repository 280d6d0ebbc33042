/** When a row happened: a number, of whatever unit, or an ISO date or time. The same in SQL and for values of an input. */
import { numberPattern, parseNumber } from "./bucketing.ts";
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import type { Source } from "./source.ts";

/** A column is of one kind: a number and a date cannot be compared. */
export type TimeKind = "NUMBER" | "ISO";

/** What a text must be, for messages. */
export const timeExpected: Readonly<Record<TimeKind | "EITHER", string>> = {
  NUMBER: "a number",
  ISO: "an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z)",
  EITHER: "a number or an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z)",
};

const date = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const zone = "Z|[+-][01][0-9](:[0-5][0-9])?";
const clock = `([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?(${zone})?)?`;
const isoPattern = `${date}([T ]${clock})?`;
const iso = new RegExp(`^${isoPattern}$`);

/** Undefined when the text is no time. Without an offset it is UTC; a date is its first moment. `value`: see `timeSql`. */
export function parseTime(text: string): { readonly kind: TimeKind; readonly value: number } | undefined {
  const number = parseNumber(text);
  if (number !== undefined) return { kind: "NUMBER", value: number };
  if (!iso.test(text)) return undefined;
  // A day that its month does not have becomes one of the next month.
  const day = new Date(`${text.slice(0, 10)}T00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) return undefined;
  const written = text.length === 10 ? `${text}T00:00Z` : text.replace(" ", "T");
  const withMinutes = /T.*[+-][0-9]{2}$/.test(written) ? `${written}:00` : written;
  const milliseconds = Date.parse(/T.*(Z|[+-].*)$/.test(withMinutes) ? withMinutes : `${withMinutes}Z`);
  return Number.isNaN(milliseconds) ? undefined : { kind: "ISO", value: milliseconds / 1000 };
}

/** SQL for the number behind a time: itself, or seconds since 1970; NULL where it is no time. */
export function timeSql(kind: TimeKind, text: string): string {
  if (kind === "NUMBER") return `TRY_CAST(${text} AS DOUBLE)`;
  // Without an offset DuckDB would take the zone of the machine.
  const withOffset = `CASE WHEN length(${text}) = 10 THEN ${text} || ' 00:00:00+00'
    WHEN length(${text}) = 16 THEN ${text} || ':00+00'
    WHEN regexp_matches(${text}, '(${zone})$') THEN ${text} ELSE ${text} || '+00' END`;
  return `epoch(TRY_CAST(${withOffset} AS TIMESTAMPTZ))`;
}

/** SQL that is true of a text of this kind. */
export function isTime(kind: TimeKind, text: string): string {
  const pattern = kind === "NUMBER" ? numberPattern : isoPattern;
  // In this order: DuckDB takes more forms of numbers and dates than these.
  const finite = `coalesce(isfinite(${timeSql(kind, text)}), false)`;
  return `CASE WHEN regexp_full_match(${text}, ${sqlText(pattern)}) THEN ${finite} ELSE false END`;
}

/** What the first row holds decides for the column; undefined when that is no time. */
export async function timeKindOf(database: Database, source: Source, column: string): Promise<TimeKind | undefined> {
  const [first] = await database.rows(`SELECT ${source.column(column)} AS value FROM source WHERE rowid = 0`);
  return parseTime(String(first!["value"]))?.kind;
}
