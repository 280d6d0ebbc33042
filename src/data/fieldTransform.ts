/** What is fitted of a field, and which ids it has. Plain data: what is stored in a transform is all there is. */
import type { FieldLayout } from "../fieldLayout.ts";
import type { FittedBucketing } from "./bucketing.ts";
import type { NumberScale, Pooling } from "./spec.ts";

/**
 * `values` are the kept texts, or bucket numbers as text (NUMERIC), most frequent first; of a single value the empty text
 * stands for a missing one. Empty where a field has no values of its own.
 */
export type FieldTransform =
  | { readonly column: string; readonly kind: "CATEGORICAL"; readonly values: readonly string[] }
  | {
      readonly column: string;
      readonly kind: "NUMERIC";
      readonly bucketing: FittedBucketing;
      readonly values: readonly string[];
    }
  /** NUMERIC with bucketing VALUE. `mean` and `std` are those of the training rows, in the scale. */
  | {
      readonly column: string;
      readonly kind: "VALUE";
      readonly scale: NumberScale;
      readonly mean: number;
      readonly std: number;
      readonly values: readonly [];
    }
  | ({
      readonly kind: "MULTI_VALUED";
    } & ListTransform)
  | ({
      readonly kind: "SEQUENCE";
      readonly pooling: Pooling;
      /** Column of the field whose ids the values have. */
      readonly target?: string;
    } & ListTransform)
  | {
      readonly column: string;
      readonly kind: "VECTOR";
      readonly separator: string;
      readonly width: number;
      readonly values: readonly [];
    };

interface ListTransform {
  readonly column: string;
  readonly separator: string;
  readonly maximumLength: number;
  readonly values: readonly string[];
}

/** The ids of a field. */
export interface FieldIds {
  /** Value i has the id first + i. Of a field that has its ids from another one the first of that one. */
  readonly first: number;
  /** The id of a value that training did not keep; -1 where there is none. */
  readonly unknown: number;
  /** The id in places without a value; -1 in fields of one value. */
  readonly padding: number;
  /** The first id of the next field. */
  readonly end: number;
}

/**
 * One for every field, in order; they lie behind each other. A field of values has those and an unknown one; of many values a
 * row, a padding id comes last, which is the only one where the values have the ids of another field. A VALUE has the id of
 * a number that is there and that of a missing one, a VECTOR none.
 */
export function fieldIds(fields: readonly FieldTransform[]): FieldIds[] {
  let first = 0;
  const own = fields.map((field) => {
    const end = first + idCount(field);
    const ids = { first, unknown: hasUnknown(field) ? first + field.values.length : -1, end };
    first = end;
    return ids;
  });
  return fields.map((field, place) => {
    const isList = field.kind === "MULTI_VALUED" || field.kind === "SEQUENCE";
    const { first, unknown } = own[vocabularyPlace(fields, place)]!;
    const { end } = own[place]!;
    return { first, unknown, padding: isList ? end - 1 : -1, end };
  });
}

/** How many ids a field has for itself. */
export function idCount(field: FieldTransform): number {
  switch (field.kind) {
    case "CATEGORICAL":
    case "NUMERIC":
      return field.values.length + 1;
    case "VALUE":
      return 2;
    case "MULTI_VALUED":
      return field.values.length + 2;
    case "SEQUENCE":
      return field.target === undefined ? field.values.length + 2 : 1;
    case "VECTOR":
      return 0;
    default:
      return field satisfies never;
  }
}

function hasUnknown({ kind }: FieldTransform): boolean {
  return kind !== "VALUE" && kind !== "VECTOR";
}

/** What a row holds for each field; undefined where that is one id for every one. */
export function fieldLayouts(fields: readonly FieldTransform[]): FieldLayout[] | undefined {
  if (fields.every(({ kind }) => kind === "CATEGORICAL" || kind === "NUMERIC")) return undefined;
  const ids = fieldIds(fields);
  return fields.map((field, place): FieldLayout => {
    switch (field.kind) {
      case "CATEGORICAL":
      case "NUMERIC":
        return { kind: "ID" };
      case "VALUE":
        return { kind: "VALUE" };
      case "MULTI_VALUED":
      case "SEQUENCE": {
        const pooled = { kind: "POOLED", length: field.maximumLength, padding: ids[place]!.padding } as const;
        if (field.kind === "MULTI_VALUED" || field.pooling === "MEAN") return pooled;
        return { ...pooled, attendsTo: vocabularyPlace(fields, place) };
      }
      case "VECTOR":
        return { kind: "VECTOR", width: field.width };
      default:
        return field satisfies never;
    }
  });
}

/** The place of the field whose values have the ids of this one's: its own, or that of its target. */
export function vocabularyPlace(fields: readonly FieldTransform[], place: number): number {
  const field = fields[place]!;
  if (field.kind !== "SEQUENCE" || field.target === undefined) return place;
  return fields.findIndex(({ column }) => column === field.target);
}
