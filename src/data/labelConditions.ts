/** Labels of tasks that count only where another is 1: what they stand under, and in SQL what is left of them. */
import type { TaskConditions } from "../taskConditions.ts";
import type { Source } from "./source.ts";
import type { LabelSpec } from "./spec.ts";

/** Undefined where every label is its column as it is. */
export function labelConditions(labels: readonly LabelSpec[]): TaskConditions | undefined {
  if (labels.every(({ onlyWhere }) => onlyWhere === undefined)) return undefined;
  return labels.map(({ onlyWhere }) => {
    return onlyWhere === undefined ? null : labels.findIndex(({ task }) => task === onlyWhere);
  });
}

/** SQL over `source`, true where every label that this one stands under is 1; undefined where it stands under none. */
export function conditionSql(source: Source, labels: readonly LabelSpec[], label: LabelSpec): string | undefined {
  const over = labels.find(({ task }) => task === label.onlyWhere);
  if (!over) return undefined;
  const further = conditionSql(source, labels, over);
  return `${source.column(over.column)} = '1'${further === undefined ? "" : ` AND ${further}`}`;
}

/** SQL for all columns of `source`, conditional labels being those of both: 1 where all above them are 1 too, else 0. */
export function composedColumns(source: Source, labels: readonly LabelSpec[]): string {
  const replaced = labels.flatMap((label) => {
    const [column, condition] = [source.column(label.column), conditionSql(source, labels, label)];
    return condition === undefined
      ? []
      : [`CASE WHEN ${column} = '1' AND ${condition} THEN '1' ELSE '0' END AS ${column}`];
  });
  return replaced.length === 0 ? "*" : `* REPLACE (${replaced.join(", ")})`;
}
