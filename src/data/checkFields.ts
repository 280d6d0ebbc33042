/** Whether the fields of a dataset spec make sense by themselves and for the columns of a file. */
import { inputFault, shown } from "./faults.ts";
import { longestList } from "./fieldLists.ts";
import { widestVector } from "./fieldNumbers.ts";
import type { Bucketing, FieldSpec } from "./spec.ts";

const mostQuantiles = 65_536;

/** Throws InvalidInputError with the path of a part that names a column which the file does not have. */
export type ColumnCheck = (path: string, name: string) => void;

/** Throws InvalidInputError at the first thing that is wrong. `path` is where the fields stand in the input. */
export function checkFields(fields: readonly FieldSpec[], path: string, column: ColumnCheck): void {
  if (fields.length === 0) throw inputFault(path, "at least one field", "none");
  fields.forEach((field, index) => {
    const at = `${path}[${index}]`;
    column(at, field.column);
    once(fields, index, (other) => other.column, `${at}.column`, "columns that differ");
    whole(field.minimumCount, `${at}.minimumCount`, 1);
    checkField(field, fields, at);
  });
}

function checkField(field: FieldSpec, fields: readonly FieldSpec[], at: string): void {
  switch (field.kind) {
    case "CATEGORICAL":
      return;
    case "NUMERIC":
      checkBucketing(field.bucketing, `${at}.bucketing`);
      if (field.bucketing.kind === "VALUE") countsNothing(field, at, "a NUMERIC field of bucketing VALUE");
      return;
    case "MULTI_VALUED":
    case "SEQUENCE":
      separates(field.separator, `${at}.separator`);
      whole(field.maximumLength, `${at}.maximumLength`, 1, longestList);
      if (field.kind === "SEQUENCE") checkTarget(field, fields, at);
      return;
    case "VECTOR":
      separates(field.separator, `${at}.separator`);
      if (/[0-9+\-.eE[\] ]/.test(field.separator)) {
        throw inputFault(`${at}.separator`, "a text that no number has in it", shown(field.separator));
      }
      whole(field.width, `${at}.width`, 1, widestVector);
      countsNothing(field, at, "a VECTOR");
      return;
    default:
      return field satisfies never;
  }
}

function checkTarget(field: FieldSpec & { readonly kind: "SEQUENCE" }, fields: readonly FieldSpec[], at: string): void {
  const { target, pooling } = field;
  const expected = "the column of a CATEGORICAL field";
  if (target === undefined) {
    if (pooling === "TARGET_ATTENTION")
      throw inputFault(`${at}.target`, expected, "nothing", "what the values attend to");
    return;
  }
  const found = fields.find(({ column }) => column === target);
  if (found?.kind !== "CATEGORICAL") throw inputFault(`${at}.target`, expected, shown(target));
  countsNothing(field, at, "a SEQUENCE with a target, whose values those are");
}

/** Of a field without values of its own. */
function countsNothing({ minimumCount }: FieldSpec, at: string, what: string): void {
  if (minimumCount !== 1) throw inputFault(`${at}.minimumCount`, `1 in ${what}`, shown(minimumCount));
}

function separates(separator: string, path: string): void {
  if (separator === "") throw inputFault(path, "a text between two values", "an empty one");
}

function whole(value: number, path: string, least: number, most?: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= (most ?? value)) return;
  throw inputFault(path, `a whole number from ${least}${most === undefined ? "" : ` to ${most}`}`, shown(value));
}

function checkBucketing(bucketing: Bucketing, path: string): void {
  switch (bucketing.kind) {
    case "LOG_SQUARED":
    case "VALUE":
      return;
    case "QUANTILES": {
      const { count } = bucketing;
      if (Number.isSafeInteger(count) && count >= 2 && count <= mostQuantiles) return;
      throw inputFault(`${path}.count`, `a whole number from 2 to ${mostQuantiles}`, shown(count));
    }
    case "BOUNDARIES": {
      const { boundaries } = bucketing;
      if (boundaries.length === 0) throw inputFault(`${path}.boundaries`, "at least one number", "none");
      boundaries.forEach((boundary, index) => {
        const at = `${path}.boundaries[${index}]`;
        if (!Number.isFinite(boundary)) throw inputFault(at, "a finite number", String(boundary));
        const before = boundaries[index - 1];
        if (before !== undefined && boundary <= before)
          throw inputFault(at, `a number above ${before}`, String(boundary));
      });
      return;
    }
    default:
      return bucketing satisfies never;
  }
}

/** Refuses an entry that has the key of an earlier one. */
export function once<T>(
  list: readonly T[],
  index: number,
  key: (entry: T) => string,
  path: string,
  expected: string,
): void {
  const own = key(list[index]!);
  if (list.findIndex((entry) => key(entry) === own) < index) throw inputFault(path, expected, `${shown(own)} twice`);
}
