/** Fits a MULTI_VALUED or SEQUENCE field on the training split, in DuckDB: which values are kept. */
import { sqlText } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import type { Source } from "./source.ts";
import type { FieldSpec } from "./spec.ts";
import { splits } from "./spec.ts";

type ListSpec = FieldSpec & { readonly kind: "MULTI_VALUED" | "SEQUENCE" };

/** SQL for the values of a cell that are not empty; of a field without an order each once, in any order. */
export function listSql({ kind, separator }: Pick<ListSpec, "kind" | "separator">, text: string): string {
  const present = `list_filter(string_split(${text}, ${sqlText(separator)}), lambda value: value <> '')`;
  return kind === "MULTI_VALUED" ? `list_distinct(${present})` : present;
}

/**
 * A value is kept that stands in at least `minimumCount` training rows, however often in each; also where so many follow that
 * it does not count there.
 */
export async function fitList(
  {
    database,
    source,
    known,
  }: { readonly database: Database; readonly source: Source; readonly known?: FieldTransform },
  field: ListSpec,
): Promise<FieldTransform> {
  if (known) return known;
  const { column, separator, maximumLength, minimumCount } = field;
  const common = { column, separator, maximumLength };
  if (field.kind === "SEQUENCE" && field.target !== undefined) {
    return { ...common, kind: "SEQUENCE", pooling: field.pooling, target: field.target, values: [] };
  }
  const list = listSql({ kind: "MULTI_VALUED", separator }, source.column(column));
  const values: string[] = [];
  const kept = database.stream(
    `SELECT value FROM (SELECT unnest(${list}) AS value FROM rows WHERE split = ${splits.indexOf("train")})
       GROUP BY value HAVING count(*) >= ${minimumCount} ORDER BY count(*) DESC, value`,
  );
  for await (const chunk of kept) for (const value of chunk.getColumnValues(0)) values.push(String(value));
  return field.kind === "MULTI_VALUED"
    ? { ...common, kind: "MULTI_VALUED", values }
    : { ...common, kind: "SEQUENCE", pooling: field.pooling, values };
}
