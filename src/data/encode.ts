/** Turns the checked rows into ids, one table for all splits, and reads a split of it back in the order of the file. */
import type { RowColumns } from "./arrowFiles.ts";
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import type { Source } from "./source.ts";
import type { DatasetSpec } from "./spec.ts";

/** Every join holds some megabytes per thread however small its table is, so wide data takes several turns. */
const lookupsPerTurn = 12;

/**
 * Creates the view `encoded` (split, scenario, label0.., id0.., and with a group column group_number) from `rows` and the
 * tables (value, id) of the fields, in the order of the file. It stands on the tables `encoded0`, `encoded1`, ..., a
 * turn's columns each.
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
  const lookups = spec.fields.map(({ column }, field) => ({ column, table: fieldTables[field]!, id: `id${field}` }));
  if (spec.group) lookups.push({ column: spec.group.column, table: "groups", id: "group_number" });
  if (spec.group) await numberGroups(database, source.column(spec.group.column));
  const turns: string[] = [];
  for (let from = 0; from < lookups.length; from += lookupsPerTurn) {
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
  await database.run(`CREATE VIEW encoded AS SELECT * FROM ${turns.join(" POSITIONAL JOIN ")}`);
}

/** The tables that hold split, scenario, labels and the ids of one field, for a FROM clause: fewer than `encoded` stands on. */
export function encodedField(field: number): string {
  const turn = Math.floor(field / lookupsPerTurn);
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
export async function* encodedRows(database: Database, spec: DatasetSpec, split: number): AsyncGenerator<RowColumns> {
  const integers = [
    ...spec.fields.map((_, field) => `id${field}`),
    "scenario",
    ...(spec.group ? ["group_number"] : []),
  ];
  const labels = spec.labels.map((_, task) => `label${task}`);
  const sql = `SELECT ${[...integers, ...labels].join(", ")} FROM encoded WHERE split = ${split}`;
  for await (const chunk of database.stream(sql)) {
    const column = (index: number): unknown => {
      const vector = chunk.getColumnVector(index);
      return "items" in vector ? vector.items : undefined;
    };
    yield {
      rows: chunk.rowCount,
      integers: integers.map((_, index) => instanceOf(Int32Array, column(index))),
      labels: labels.map((_, index) => instanceOf(Uint8Array, column(integers.length + index))),
    };
  }
}

function instanceOf<T>(type: new () => T, value: unknown): T {
  if (!(value instanceof type)) throw new Error(`encodedRows: expected ${type.name}, got ${typeof value}`);
  return value;
}
