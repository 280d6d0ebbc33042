/** What a check for leakage is given, and what it finds. Plain JSON, part of the manifest. */
import type { Database } from "./duckDb.ts";
import type { Source } from "./source.ts";
import type { DatasetSpec, Split } from "./spec.ts";
import type { FieldTransform } from "./transform.ts";

export const leakageKinds = [
  "DUPLICATE_ROWS",
  "LABEL_PREDICTED_BY_FIELD",
  "FUTURE_IN_TRAINING",
  "STATISTICS_OF_ALL_ROWS",
  /** A check that failed itself; `message` has why. */
  "NOT_CHECKED",
] as const;

export interface LeakageWarning {
  readonly kind: (typeof leakageKinds)[number];
  /** A sentence with the numbers. */
  readonly message: string;
  /** The column at fault; null where it is the rows. */
  readonly column: string | null;
  readonly task: string | null;
  /** The split that is not what it should be; null where it is validation and test together. */
  readonly split: Split | null;
  /** Rows concerned, and their share of those that were looked at, [0, 1]; null where no rows are counted. */
  readonly rows: number | null;
  readonly share: number | null;
  /** Concrete values the message rests on; which ones is said by the check. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** The views `rows` (checkRows.ts) and `encoded` (encode.ts) are there. */
export interface LeakageInput {
  readonly database: Database;
  readonly source: Source;
  readonly spec: DatasetSpec;
  readonly fields: readonly FieldTransform[];
}

/** 0.001234 → `0.123 %`. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** 12345 → `12,345`. */
export function counted(count: number): string {
  return count.toLocaleString("en-GB");
}
