/** What the scenario, label, split and time cells must hold, and which split each row is in: view `rows` over `source`. */
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { fileFault, shown } from "./faults.ts";
import { composedColumns, conditionSql } from "./labelConditions.ts";
import type { Source } from "./source.ts";
import { splits } from "./spec.ts";
import type { DatasetSpec, Split, SplitSpec } from "./spec.ts";
import { isTime, parseTime, timeExpected, timeKindOf, timeSql } from "./time.ts";

interface Check {
  readonly column: string;
  /** SQL, true of a good row. */
  readonly holds: string;
  readonly expected: string;
}

/**
 * Creates the view `rows`: the columns of `source` (of a conditional task the label of both), `row` (from 0, order of the
 * file) and `split` (index into `splits`). Returns the rows per split. Throws InvalidInputError with column, line and value of the first bad row,
 * or naming an empty split.
 */
export async function checkRows(database: Database, source: Source, spec: DatasetSpec): Promise<Record<Split, number>> {
  await checkCells(database, source, spec);
  const split = await splitExpression(database, source, spec);
  const columns = composedColumns(source, spec.labels);
  await database.run(`CREATE VIEW rows AS SELECT rowid AS row, ${columns}, ${split} AS split FROM source`);

  const counts = { train: 0, validation: 0, test: 0 };
  for (const row of await database.rows("SELECT split, count(*) AS rows FROM rows GROUP BY split")) {
    counts[splits[Number(row["split"])]!] = Number(row["rows"]);
  }
  for (const name of splits) {
    if (counts[name] > 0) continue;
    const place = spec.split.kind === "RANDOM" ? {} : { column: spec.split.column };
    const value = spec.split.kind === "COLUMN" ? ` (${shown(spec.split[name])})` : "";
    const received = `none among the ${source.rows} rows`;
    throw fileFault({ file: source.file, ...place, expected: `rows of the ${name} split${value}`, received });
  }
  return counts;
}

async function checkCells(database: Database, source: Source, spec: DatasetSpec): Promise<void> {
  const oneOf = (column: string, values: readonly string[]): Check => ({
    column,
    holds: `${source.column(column)} IN (${values.map(sqlText).join(", ")})`,
    expected: values.map((value) => shown(value)).join(" or "),
  });
  const checks = [
    oneOf(
      spec.scenario.column,
      spec.scenario.values.map(({ value }) => value),
    ),
    ...spec.labels.map((label): Check => {
      const [check, condition] = [oneOf(label.column, ["0", "1"]), conditionSql(source, spec.labels, label)];
      if (condition === undefined) return { ...check, expected: "0 or 1" };
      const holds = `${check.holds} OR (${source.column(label.column)} = '' AND NOT (${condition}))`;
      return { ...check, holds, expected: `0 or 1, or an empty cell where ${label.onlyWhere} is 0` };
    }),
    ...(spec.split.kind === "COLUMN"
      ? [oneOf(spec.split.column, [spec.split.train, spec.split.validation, spec.split.test])]
      : []),
    ...(spec.split.kind === "TIME" ? [splitTimes(source, spec.split)] : []),
    ...(spec.time ? [await times(database, source, spec.time.column)] : []),
  ];
  const firsts = checks.map(({ holds }, index) => `min(rowid) FILTER (WHERE NOT (${holds})) AS first${index}`);
  const found = (await database.rows(`SELECT ${firsts.join(", ")} FROM source`))[0]!;
  const faults = checks
    .map((check, index) => ({ ...check, row: found[`first${index}`] }))
    .filter((fault) => fault.row !== null)
    .map((fault) => ({ ...fault, row: Number(fault.row) }))
    .sort((a, b) => a.row - b.row);
  const first = faults[0];
  if (first) throw await cellFault({ database, source, ...first });
}

/** All as the bounds of the split are. */
function splitTimes(source: Source, split: SplitSpec & { readonly kind: "TIME" }): Check {
  const { kind } = parseTime(split.validationFrom)!;
  const expected = `${timeExpected[kind]}, as the bounds of the split are`;
  return { column: split.column, holds: isTime(kind, source.column(split.column)), expected };
}

/** All as the first one is. */
async function times(database: Database, source: Source, column: string): Promise<Check> {
  const kind = await timeKindOf(database, source, column);
  if (!kind) return { column, holds: "rowid > 0", expected: timeExpected.EITHER };
  return { column, holds: isTime(kind, source.column(column)), expected: `${timeExpected[kind]}, as in the first row` };
}

/** The text of one cell. */
export async function textAt(database: Database, source: Source, column: string, row: number): Promise<string> {
  const cells = await database.rows(`SELECT ${source.column(column)} AS value FROM source WHERE rowid = ${row}`);
  return String(cells[0]!["value"]);
}

/** The error of one cell; finds its line, and reads its value where that is what was received. */
export async function cellFault(input: {
  readonly database: Database;
  readonly source: Source;
  readonly column: string;
  readonly row: number;
  readonly expected: string;
  readonly received?: string;
}): Promise<Error> {
  const { database, source, column, row, expected } = input;
  const value = await textAt(database, source, column, row);
  const received = input.received ?? (value === "" ? "an empty cell" : shown(value));
  const [line] = await source.linesOf([row]);
  return fileFault({ file: source.file, column, line: line!, expected, received });
}

/** SQL for the index of a row's split. The random shares are exact, each rounded to whole rows. */
async function splitExpression(database: Database, source: Source, { split }: DatasetSpec): Promise<string> {
  if (split.kind === "COLUMN") {
    const cases = splits.map((name, index) => `WHEN ${sqlText(split[name])} THEN ${index}`);
    return `CASE ${source.column(split.column)} ${cases.join(" ")} END`;
  }
  if (split.kind === "TIME") {
    const { kind } = parseTime(split.validationFrom)!;
    const time = timeSql(kind, source.column(split.column));
    const since = (from: string): string => `${time} >= ${timeSql(kind, sqlText(from))}`;
    const part = `CASE WHEN ${since(split.testFrom)} THEN 2 WHEN ${since(split.validationFrom)} THEN 1 ELSE 0 END`;
    // Kept, because every statement over the view would read the times again.
    await database.run(`ALTER TABLE source ADD COLUMN part INTEGER; UPDATE source SET part = ${part}`);
    return "part";
  }
  // The rows with the smallest draws are the validation split, those that follow the test split.
  const validation = Math.round(source.rows * split.validationShare);
  const test = Math.round(source.rows * split.testShare);
  const drawAt = async (place: number): Promise<string> => {
    const drawn = await database.rows(`SELECT draw FROM source ORDER BY draw LIMIT 1 OFFSET ${place}`);
    // Beyond the last row nothing is left for the training split.
    return drawn[0] ? `draw < ${String(drawn[0]["draw"])}` : "true";
  };
  const inValidation = await drawAt(validation);
  const inTest = await drawAt(validation + test);
  return `CASE WHEN ${inValidation} THEN 1 WHEN ${inTest} THEN 2 ELSE 0 END`;
}
