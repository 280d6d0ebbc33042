/**
 * From raw field values to embedding ids, the same way at import and at prediction. Plain data plus lookups: what is
 * in `toJSON` is all there is. The import does the same in SQL (vocabulary.ts) and a test holds both together.
 */
import { bucketOf, parseNumber } from "./bucketing.ts";
import type { FittedBucketing } from "./bucketing.ts";
import { inputFault, shown } from "./faults.ts";
import type { DatasetShape, DatasetSpec } from "./spec.ts";

/**
 * `values` are the kept texts (CATEGORICAL) or bucket numbers as text (NUMERIC), most frequent first; the empty text
 * stands for a missing value. Value i has the id offset + i, all others offset + values.length, where offset is the sum
 * of values.length + 1 over the fields before.
 */
export type FieldTransform =
  | { readonly column: string; readonly kind: "CATEGORICAL"; readonly values: readonly string[] }
  | {
      readonly column: string;
      readonly kind: "NUMERIC";
      readonly bucketing: FittedBucketing;
      readonly values: readonly string[];
    };

export interface TransformJson {
  readonly version: 1;
  readonly fields: readonly FieldTransform[];
  readonly scenario: DatasetSpec["scenario"];
  readonly tasks: readonly string[];
}

export interface RawRow {
  /** Name of the scenario. */
  readonly scenario: string;
  /**
   * By column. In CATEGORICAL fields text is compared as it stands in the file and 1 is the same as "1" (not "1.0"),
   * true as "true"; in NUMERIC fields 1, "1" and "1.0" are one number. null and "" are a missing value. The field
   * that is the scenario column may be left out. Other columns are ignored.
   */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface EncodedRows {
  readonly rows: number;
  /** Globally offset embedding ids [rows, fields]. */
  readonly ids: Int32Array;
  /** Scenario index [rows]. */
  readonly scenario: Int32Array;
  /** Per column how many rows hold a value that training did not keep. */
  readonly unknown: Readonly<Record<string, number>>;
}

export interface Transform {
  readonly shape: DatasetShape;
  /** Throws InvalidInputError with a path such as `rows[3].values.user_id`; `path` is what comes before `[3]`. */
  encode(rows: readonly RawRow[], path?: string): EncodedRows;
  /**
   * Writes the ids of one row [fields] to `ids` from `start` and gives the index of its scenario. Throws as `encode`; `path`
   * is that of the row. What it has written by then may be written over.
   */
  encodeRow(row: RawRow, path: string, ids: Int32Array, start: number): number;
  toJSON(): TransformJson;
}

/** Takes what `JSON.parse` gives for a stored transform. */
export function transformFromJson(json: unknown): Transform {
  const version = json !== null && typeof json === "object" && "version" in json ? json.version : undefined;
  if (version !== 1) throw new Error(`transformFromJson: expected version 1, got ${shown(version)}`);
  // Written by this program beside the rows it belongs to, never by a caller.
  return createTransform(json as TransformJson);
}

export function createTransform(json: TransformJson): Transform {
  const { fields, scenario } = json;
  const scenarios = new Map(scenario.values.map(({ scenario: name, value }, index) => [name, { index, value }]));
  const unknownIds = unknownIdsOf(fields);
  const ids = unknownIds.at(-1)! + 1;
  // Made when first needed: an import needs none of them, and a large vocabulary takes a while.
  let lookups: readonly Lookup[] | undefined;

  const encodeRow: Transform["encodeRow"] = (row, path, ids, start) => {
    const lookup = (lookups ??= lookupsOf(fields));
    const declared = scenarios.get(row.scenario);
    if (!declared) {
      const names = [...scenarios.keys()].map((name) => shown(name)).join(", ");
      throw inputFault(`${path}.scenario`, `one of ${names}`, shown(row.scenario));
    }
    for (let place = 0; place < fields.length; place++) {
      const field = fields[place]!;
      // A path for each value would cost more than all the rest.
      const at = (): string => `${path}.values.${field.column}`;
      const key = keyOf(field, rawValue(row, field, scenario.column, declared.value, at), at);
      const { idOf, unknownId } = lookup[place]!;
      ids[start + place] = idOf.get(key) ?? unknownId;
    }
    return declared.index;
  };

  return {
    shape: {
      fields: fields.length,
      columns: fields.map(({ column }) => column),
      ids,
      unknownIds,
      scenarios: [...scenarios.keys()],
      tasks: [...json.tasks],
    },
    encodeRow,
    encode(rows, path = "rows") {
      const encoded = new Int32Array(rows.length * fields.length);
      const scenarioOf = new Int32Array(rows.length);
      const unknown: number[] = fields.map(() => 0);
      rows.forEach((row, index) => {
        scenarioOf[index] = encodeRow(row, `${path}[${index}]`, encoded, index * fields.length);
        unknownIds.forEach((id, place) => {
          if (encoded[index * fields.length + place] === id) unknown[place]!++;
        });
      });
      const unknownByColumn = Object.fromEntries(fields.map(({ column }, place) => [column, unknown[place]!]));
      return { rows: rows.length, ids: encoded, scenario: scenarioOf, unknown: unknownByColumn };
    },
    toJSON: () => json,
  };
}

interface Lookup {
  readonly idOf: ReadonlyMap<string, number>;
  readonly unknownId: number;
}

function lookupsOf(fields: readonly FieldTransform[]): Lookup[] {
  const unknownIds = unknownIdsOf(fields);
  return fields.map(({ values }, place) => {
    const unknownId = unknownIds[place]!;
    const first = unknownId - values.length;
    return { idOf: new Map(values.map((value, index) => [value, first + index])), unknownId };
  });
}

/** The last id of every field. */
function unknownIdsOf(fields: readonly FieldTransform[]): number[] {
  let next = 0;
  return fields.map(({ values }) => (next += values.length + 1) - 1);
}

/** The given value of a field; for the scenario column the one its scenario has in the file. */
function rawValue(
  row: RawRow,
  field: FieldTransform,
  scenarioColumn: string,
  declared: string,
  at: () => string,
): unknown {
  const value = Object.hasOwn(row.values, field.column) ? row.values[field.column] : undefined;
  if (field.column !== scenarioColumn) {
    if (value === undefined) throw inputFault(at(), "a value", "nothing", "null stands for a missing value");
    return value;
  }
  if (value !== undefined && textOf(value, at) !== declared) {
    const expected = `${shown(declared)} as declared for scenario ${shown(row.scenario)}`;
    throw inputFault(at(), expected, shown(value), "this field may be left out");
  }
  return declared;
}

/** The text under which the vocabulary holds a value. */
function keyOf(field: FieldTransform, value: unknown, at: () => string): string {
  switch (field.kind) {
    case "CATEGORICAL":
      return textOf(value, at);
    case "NUMERIC": {
      if (value === null || value === "") return "";
      const number = typeof value === "string" ? parseNumber(value) : value;
      if (typeof number !== "number" || !Number.isFinite(number))
        throw inputFault(at(), "a finite number", shown(value));
      return String(bucketOf(field.bucketing, number));
    }
    default:
      return field satisfies never;
  }
}

/** The text of a category; of numbers the one `textOfParquet` gives them. */
function textOf(value: unknown, at: () => string): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw inputFault(at(), "a text, a number, true, false or null", shown(value));
  }
  if (Number.isInteger(value)) {
    if (Number.isSafeInteger(value)) return String(value);
    throw inputFault(at(), "an integer below 2^53", String(value), "send it as text");
  }
  if (Math.abs(value) >= 1e-4) return String(value);
  const [digits, exponent] = value.toExponential().split("e-"); // 1e-7 is 1e-07
  return `${digits}e-${exponent!.padStart(2, "0")}`;
}
