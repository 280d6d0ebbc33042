/** Fits a NUMERIC field that stays a number, and checks the cells of a VECTOR; in DuckDB, over all rows of the file. */
import { numberPattern } from "./bucketing.ts";
import { cellFault, textAt } from "./checkRows.ts";
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { wrongVector } from "./encodeValue.ts";
import { scaled, vectorExpected } from "./fieldNumbers.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import type { Source } from "./source.ts";
import type { FieldSpec, NumberScale } from "./spec.ts";
import { splits } from "./spec.ts";

/** SQL for the number of a text as a double; NULL where it is none, or infinite. */
export function numberSql(text: string): string {
  const number = `CASE WHEN regexp_full_match(${text}, ${sqlText(numberPattern)}) THEN TRY_CAST(${text} AS DOUBLE) END`;
  return `CASE WHEN isfinite(${number}) THEN ${number} END`;
}

/**
 * Mean and standard deviation of the training rows that have a number, in the scale; 0 and 1 where none has, and a deviation of
 * 1 where all are the same. `known`: taken instead. Throws InvalidInputError for a text that is not a number.
 */
export async function fitNumber(
  {
    database,
    source,
    known,
  }: { readonly database: Database; readonly source: Source; readonly known?: FieldTransform },
  { column, scale }: { readonly column: string; readonly scale: NumberScale },
): Promise<FieldTransform> {
  const text = source.column(column);
  const [found] = await database.rows(
    `SELECT min(row) AS row FROM rows WHERE ${text} <> '' AND ${numberSql(text)} IS NULL`,
  );
  const row = found!["row"];
  if (row !== null) {
    throw await cellFault({ database, source, column, row: Number(row), expected: "a finite number or an empty cell" });
  }
  if (known) return known;
  return { column, kind: "VALUE", scale, ...(await momentsOf(database, text, scale)), values: [] };
}

/** In the order of the file on one thread, so that the same file always gives the same numbers (Welford's method). */
async function momentsOf(
  database: Database,
  text: string,
  scale: NumberScale,
): Promise<{ readonly mean: number; readonly std: number }> {
  let [n, mean, squares] = [0, 0, 0];
  const training = `split = ${splits.indexOf("train")} AND ${text} <> ''`;
  for await (const chunk of database.stream(`SELECT ${numberSql(text)} FROM rows WHERE ${training}`)) {
    for (const value of chunk.getColumnValues(0)) {
      const x = scaled(scale, Number(value));
      const distance = x - mean;
      mean += distance / ++n;
      squares += distance * (x - mean);
    }
  }
  const std = Math.sqrt(squares / n);
  // The squares of numbers beyond 1e150 are no numbers; such a scale would make all others alike in any case.
  return std > 0 && Number.isFinite(std) ? { mean, std } : { mean, std: 1 };
}

/** Throws InvalidInputError for the first cell that is not empty and not as many numbers as the field is wide. */
export async function checkVectors(
  database: Database,
  source: Source,
  field: FieldSpec & { readonly kind: "VECTOR" },
): Promise<void> {
  const { column, separator, width } = field;
  const text = source.column(column);
  const pieces =
    `CASE WHEN starts_with(${text}, '[') AND ends_with(${text}, ']') ` +
    `THEN string_split(${text}[2:-2], ',') ELSE string_split(${text}, ${sqlText(separator)}) END`;
  const isNumber = `isfinite(TRY_CAST(${numberSql("trim(piece, ' ')")} AS FLOAT))`;
  const [found] = await database.rows(
    `SELECT min(row) AS row FROM (SELECT row, ${pieces} AS pieces FROM rows WHERE ${text} <> '')
       WHERE len(pieces) <> ${width} OR len(list_filter(pieces, lambda piece: coalesce(${isNumber}, false))) <> ${width}`,
  );
  if (found!["row"] === null) return;
  const row = Number(found!["row"]);
  const received = wrongVector(await textAt(database, source, column, row), separator);
  throw await cellFault({ database, source, column, row, expected: vectorExpected(field), received });
}
