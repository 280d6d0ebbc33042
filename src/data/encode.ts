/**
 * Turns the checked rows into ids, one table for all splits, and reads a split of it back in the order of the file. Fields of
 * one id a row are encoded here, in SQL; of the others the table has the cells, and encodeValue.ts does it where they are read.
 */
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { fieldPlaces } from "../fieldLayout.ts";
import { valueEncoders } from "./encodeValue.ts";
import type { EncodeValue } from "./encodeValue.ts";
import { fieldLayouts } from "./fieldTransform.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import { numberSql } from "./fitNumbers.ts";
import type { Source } from "./source.ts";
import type { DatasetSpec, FieldSpec } from "./spec.ts";
import type { RowColumns } from "./writeSplit.ts";

/** Every join holds some megabytes per thread however small its table is, so wide data takes several turns. */
const lookupsPerTurn = 12;

/** Whether a row has one id for the field, which SQL can look up. */
export function hasOneId(field: FieldSpec): boolean {
  return field.kind === "CATEGORICAL" || (field.kind === "NUMERIC" && field.bucketing.kind !== "VALUE");
}

/**
 * Creates the view `encoded` (split, scenario, label0.., and with a group column group_number) from `rows` and the tables
 * (value, id) of the fields, in the order of the file; of a field with one id a row it has id<place>, of others cell<place>, its
 * text or number (NULL where it is missing). It stands on the tables `encoded0`, `encoded1`, ..., a turn's columns each, and
 * on `cells`.
 */
export async function encodeRows(
  database: Database,
  source: Source,
  spec: DatasetSpec,
  fieldTables: readonly string[],
): Promise<void> {
  const scenario = spec.scenario.values.map(({ value }, index) => `WHEN ${sqlText(value)} THEN ${index}`).join(" ");
  const others = [
    "CAST(rows.split AS TINYINT) AS split",
    `CAST(CASE rows.${source.column(spec.scenario.column)} ${scenario} END AS INTEGER) AS scenario`,
    ...spec.labels.map(({ column }, task) => `CAST(rows.${source.column(column)} AS UTINYINT) AS label${task}`),
  ];
  const lookups = spec.fields.flatMap((field, place) =>
    hasOneId(field) ? [{ column: field.column, table: fieldTables[place]!, id: `id${place}` }] : [],
  );
  if (spec.group) lookups.push({ column: spec.group.column, table: "groups", id: "group_number" });
  if (spec.group) await numberGroups(database, source.column(spec.group.column));
  const turns: string[] = [];
  for (let from = 0; from === 0 || from < lookups.length; from += lookupsPerTurn) {
    const turn = lookups.slice(from, from + lookupsPerTurn);
    const ids = turn.map(({ table, id }) => `CAST(${table}.id AS INTEGER) AS ${id}`);
    const joins = turn.map(({ column, table }) => `JOIN ${table} ON ${table}.value = rows.${source.column(column)}`);
    const columns = from === 0 ? [...others, ...ids] : ids;
    // A join may mix the rows up, so they are sorted back.
    await database.run(
      `CREATE TABLE encoded${turns.length} AS SELECT ${columns.join(", ")} FROM rows ${joins.join(" ")} ORDER BY rows.row;
       ${turn.map(({ table }) => `DROP TABLE ${table}`).join("; ")}`,
    );
    turns.push(`encoded${turns.length}`);
  }
  const cells = spec.fields.flatMap((field, place) => (hasOneId(field) ? [] : [cellSql(source, field, place)]));
  // `rows` is in the order of the file, and a table keeps that of what it is made from.
  if (cells.length > 0) await database.run(`CREATE TABLE cells AS SELECT ${cells.join(", ")} FROM rows`);
  if (cells.length > 0) turns.push("cells");
  await database.run(`CREATE VIEW encoded AS SELECT * FROM ${turns.join(" POSITIONAL JOIN ")}`);
}

function cellSql(source: Source, field: FieldSpec, place: number): string {
  const text = source.column(field.column);
  return `${field.kind === "NUMERIC" ? numberSql(text) : text} AS cell${place}`;
}

/**
 * The tables that hold split, scenario, labels and the id or cell of one field, for a FROM clause: fewer than `encoded` stands
 * on.
 */
export function encodedField(fields: readonly FieldSpec[], field: number): string {
  if (!hasOneId(fields[field]!)) return "encoded0 POSITIONAL JOIN cells";
  const turn = Math.floor(fields.slice(0, field).filter(hasOneId).length / lookupsPerTurn);
  return turn === 0 ? "encoded0" : `encoded0 POSITIONAL JOIN encoded${turn}`;
}

/** Creates `groups` (value, id): the values of all splits, numbered from 0 in the order of their first rows. */
async function numberGroups(database: Database, column: string): Promise<void> {
  await database.run(
    `CREATE TABLE groups AS SELECT value, row_number() OVER (ORDER BY first) - 1 AS id
       FROM (SELECT ${column} AS value, min(row) AS first FROM rows GROUP BY value)`,
  );
}

/** The rows of a split (its index in `splits`), in the order of the file. */
export async function* encodedRows(
  database: Database,
  spec: DatasetSpec,
  fields: readonly FieldTransform[],
  split: number,
): AsyncGenerator<RowColumns> {
  const columns = spec.fields.map((field, place) => (hasOneId(field) ? `id${place}` : `cell${place}`));
  const others = ["scenario", ...(spec.group ? ["group_number"] : [])];
  const labels = spec.labels.map((_, task) => `label${task}`);
  const places = fieldPlaces(fieldLayouts(fields) ?? fields.map(() => ({ kind: "ID" as const })));
  const encoders = valueEncoders(fields, (_, place) => !hasOneId(spec.fields[place]!));
  const sql = `SELECT ${[...columns, ...others, ...labels].join(", ")} FROM encoded WHERE split = ${split}`;
  for await (const chunk of database.stream(sql)) {
    const items = <T>(type: new () => T, index: number): T => {
      const vector = chunk.getColumnVector(index);
      return instanceOf(type, "items" in vector ? vector.items : undefined);
    };
    const rows = chunk.rowCount;
    const ofFields = places.map(({ ids, numbers }, place) =>
      hasOneId(spec.fields[place]!)
        ? { ids: items(Int32Array, place), numbers: new Float32Array(0) }
        : encodedCells(encoders[place]!, chunk.getColumnValues(place), ids, numbers),
    );
    yield {
      rows,
      integers: [
        ...ofFields.flatMap(({ ids }, place) => (places[place]!.ids > 0 ? [ids] : [])),
        ...others.map((_, index) => items(Int32Array, columns.length + index)),
      ],
      numbers: ofFields.flatMap(({ numbers }, place) => (places[place]!.numbers > 0 ? [numbers] : [])),
      labels: labels.map((_, index) => items(Uint8Array, columns.length + others.length + index)),
    };
  }
}

/** All cells were checked when their field was fitted. */
function encodedCells(encode: EncodeValue, cells: readonly unknown[], ids: number, numbers: number) {
  const into = { ids: new Int32Array(cells.length * ids), numbers: new Float32Array(cells.length * numbers) };
  const at = (): string => "encodedRows";
  for (const [row, cell] of cells.entries()) encode(cell, at, into, row * ids, row * numbers);
  return into;
}

function instanceOf<T>(type: new () => T, value: unknown): T {
  if (!(value instanceof type)) throw new Error(`encodedRows: expected ${type.name}, got ${typeof value}`);
  return value;
}
