/**
 * Fits one field on the training split, in DuckDB: which values are kept, and the id of every value in the file.
 * The meaning is that of transform.ts; here it is applied to the distinct values of a column rather than row by row.
 */
import { bucketStarts, numberPattern } from "./bucketing.ts";
import type { FittedBucketing } from "./bucketing.ts";
import { cellFault } from "./checkRows.ts";
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { fitList } from "./fitList.ts";
import { checkVectors, fitNumber } from "./fitNumbers.ts";
import type { Source } from "./source.ts";
import { splits } from "./spec.ts";
import type { Bucketing, FieldSpec } from "./spec.ts";
import type { FieldTransform } from "./fieldTransform.ts";

export interface FieldInput {
  readonly database: Database;
  readonly source: Source;
  readonly field: FieldSpec;
  /** The first id of the field. */
  readonly offset: number;
  /** Name of the table to create. */
  readonly table: string;
  /** Of the same field in another dataset: its ids are taken, nothing is fitted. Default: none. */
  readonly known?: FieldTransform;
}

type WithoutValues =
  | { readonly column: string; readonly kind: "CATEGORICAL" }
  | { readonly column: string; readonly kind: "NUMERIC"; readonly bucketing: FittedBucketing };

/**
 * Of a field with one id a row it creates the table `table` (value, id), one row for every distinct text of the column,
 * training split or not. Throws InvalidInputError for a text that is not a number in a NUMERIC field, or no vector in a VECTOR.
 */
export async function fitField(input: FieldInput): Promise<FieldTransform> {
  const { field, database, source } = input;
  switch (field.kind) {
    case "CATEGORICAL":
      return fitIds(input, field);
    case "NUMERIC": {
      const { column, bucketing } = field;
      return bucketing.kind === "VALUE" ? fitNumber(input, { column, scale: bucketing.scale }) : fitIds(input, field);
    }
    case "MULTI_VALUED":
    case "SEQUENCE":
      return fitList(input, field);
    case "VECTOR": {
      const { column, separator, width } = field;
      await checkVectors(database, source, field);
      return { column, kind: "VECTOR", separator, width, values: [] };
    }
    default:
      return field satisfies never;
  }
}

type IdField = FieldSpec & { readonly kind: "CATEGORICAL" | "NUMERIC" };

async function fitIds(input: FieldInput, field: IdField): Promise<FieldTransform> {
  const { database, offset, table, known } = input;
  const fitted = await keyValues(input, field);
  if (known) {
    await database.keyTable("kept", known.values);
    await database.run(
      `CREATE TABLE ${table} AS SELECT value, ${offset} + coalesce(place, ${known.values.length}) AS id
         FROM keyed LEFT JOIN kept ON coalesce(CAST(keyed.key AS VARCHAR), '') = kept.key;
       DROP TABLE kept; DROP TABLE keyed`,
    );
    return known;
  }
  // Ties: the smaller key first, a missing number before all.
  await database.run(
    `CREATE TABLE kept AS SELECT key, CAST(row_number() OVER (ORDER BY n DESC, key NULLS FIRST) - 1 AS INTEGER) AS place
       FROM (SELECT key, sum(n) AS n FROM keyed GROUP BY key HAVING sum(n) >= ${field.minimumCount})`,
  );
  const values: string[] = [];
  for await (const chunk of database.stream("SELECT coalesce(CAST(key AS VARCHAR), '') FROM kept ORDER BY place")) {
    for (const value of chunk.getColumnValues(0)) values.push(String(value));
  }
  await database.run(
    `CREATE TABLE ${table} AS SELECT value, ${offset} + coalesce(place, ${values.length}) AS id
       FROM keyed LEFT JOIN kept ON keyed.key IS NOT DISTINCT FROM kept.key;
     DROP TABLE kept; DROP TABLE keyed`,
  );
  return { ...fitted, values };
}

/**
 * Creates `keyed` (value, key, n): the distinct texts of the column, what each is counted as (the text itself, or its
 * bucket) and in how many training rows it stands.
 */
async function keyValues({ database, source, known }: FieldInput, field: IdField): Promise<WithoutValues> {
  const { column } = field;
  const text = source.column(column);
  const inTraining = `count(*) FILTER (split = ${splits.indexOf("train")})`;
  switch (field.kind) {
    case "CATEGORICAL":
      await database.run(
        `CREATE TABLE keyed AS SELECT ${text} AS value, value AS key, ${inTraining} AS n FROM rows GROUP BY value`,
      );
      return { column, kind: "CATEGORICAL" };
    case "NUMERIC": {
      const number = `CASE WHEN regexp_full_match(value, ${sqlText(numberPattern)}) THEN TRY_CAST(value AS DOUBLE) END`;
      await database.run(
        `CREATE TABLE numbers AS SELECT value, ${number} AS number, n, first
           FROM (SELECT ${text} AS value, ${inTraining} AS n, min(row) AS first FROM rows GROUP BY value)`,
      );
      await checkNumbers(database, source, column);
      const bucketing = known?.kind === "NUMERIC" ? known.bucketing : await fitBucketing(database, field.bucketing);
      await keyByBucket(database, bucketing);
      await database.run("DROP TABLE numbers");
      return { column, kind: "NUMERIC", bucketing };
    }
    default:
      return field satisfies never;
  }
}

async function checkNumbers(database: Database, source: Source, column: string): Promise<void> {
  const [found] = await database.rows(
    "SELECT min(first) AS row FROM numbers WHERE value <> '' AND (number IS NULL OR NOT isfinite(number))",
  );
  const row = found!["row"];
  if (row === null) return;
  throw await cellFault({ database, source, column, row: Number(row), expected: "a finite number or an empty cell" });
}

async function fitBucketing(database: Database, bucketing: Bucketing): Promise<FittedBucketing> {
  if (bucketing.kind === "VALUE") throw new Error("fitBucketing: expected buckets, got VALUE");
  if (bucketing.kind !== "QUANTILES") return bucketing;
  // The training rows in order of their number, counted from 0: bucket i begins with the number of row
  // floor(i * total / count). A number is a boundary if one of these rows, for i in 1..count-1, is among its own,
  // which are before .. upto - 1. The smallest number is none: nothing lies below it.
  const { count } = bucketing;
  const rows = await database.rows(
    `SELECT number FROM (
       SELECT number, n, sum(n) OVER (ORDER BY number) AS upto, sum(n) OVER () AS total
       FROM (SELECT number, sum(n) AS n FROM numbers WHERE number IS NOT NULL GROUP BY number HAVING sum(n) > 0))
     WHERE upto > n AND
       ((upto - n) * ${count} + total - 1) // total <= least(${count} - 1, (upto * ${count} + total - 1) // total - 1)
     ORDER BY number`,
  );
  return { kind: "BOUNDARIES", boundaries: rows.map((row) => Number(row["number"])) };
}

/** Creates `keyed` from `numbers`; the key of a missing value is NULL. */
async function keyByBucket(database: Database, bucketing: FittedBucketing): Promise<void> {
  const [found] = await database.rows("SELECT max(number) AS largest FROM numbers");
  await database.bucketTable("starts", bucketStarts(bucketing, Number(found!["largest"] ?? 0)));
  const truncated = "CAST(greatest(trunc(number), -2147483648) AS INTEGER)";
  const bucket = bucketing.kind === "LOG_SQUARED" ? `CASE WHEN number > 2 THEN bucket ELSE ${truncated} END` : "bucket";
  await database.run(
    `CREATE TABLE keyed AS
       SELECT value, ${bucket} AS key, n FROM numbers ASOF JOIN starts ON number >= start
       UNION ALL SELECT value, NULL, n FROM numbers WHERE number IS NULL;
     DROP TABLE starts`,
  );
}
