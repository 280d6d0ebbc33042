/**
 * From raw field values to embedding ids and numbers, the same way at import and at prediction. Plain data plus lookups: what
 * is in `toJSON` is all there is. The import does the same in SQL (vocabulary.ts) and a test holds both together.
 */
import { idsPerRow, numbersPerRow, fieldPlaces } from "../fieldLayout.ts";
import type { FieldLayout } from "../fieldLayout.ts";
import type { TaskConditions } from "../taskConditions.ts";
import { textOf, valueEncoders } from "./encodeValue.ts";
import type { EncodeValue, RowArrays } from "./encodeValue.ts";
import { inputFault, shown } from "./faults.ts";
import { fieldIds, fieldLayouts } from "./fieldTransform.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import type { DatasetShape, DatasetSpec } from "./spec.ts";

export type { FieldTransform } from "./fieldTransform.ts";

export interface TransformJson {
  readonly version: 1;
  readonly fields: readonly FieldTransform[];
  readonly scenario: DatasetSpec["scenario"];
  readonly tasks: readonly string[];
  /** As in the shape; absent: none. */
  readonly conditions?: TaskConditions;
}

export interface RawRow {
  /** Name of the scenario. */
  readonly scenario: string;
  /**
   * By column. In CATEGORICAL fields text is compared as it stands in the file and 1 is the same as "1" (not "1.0"),
   * true as "true"; in NUMERIC fields 1, "1" and "1.0" are one number. MULTI_VALUED and SEQUENCE fields take a list of
   * such values, a VECTOR a list of numbers, or either the text that would stand in the file. null and "" are a missing value,
   * a list without values, a vector of zeros. The field that is the scenario column may be left out. Other columns are ignored.
   */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface EncodedRows extends RowArrays {
  readonly rows: number;
  /** Scenario index [rows]. */
  readonly scenario: Int32Array;
  /** Per column how many rows hold a value that training did not keep. */
  readonly unknown: Readonly<Record<string, number>>;
}

export interface Transform {
  readonly shape: DatasetShape;
  /** Of a row. */
  readonly ids: number;
  readonly numbers: number;
  /** Throws InvalidInputError with a path such as `rows[3].values.user_id`; `path` is what comes before `[3]`. */
  encode(rows: readonly RawRow[], path?: string): EncodedRows;
  /**
   * Writes the ids and numbers of one row to the place `index` of `into` and gives the index of its scenario. Throws as `encode`;
   * `path` is that of the row. What it has written by then may be written over.
   */
  encodeRow(row: RawRow, path: string, into: RowArrays, index: number): number;
  /** Per field in how many of the rows `start` to `end` it has a value that training did not keep [fields]. */
  unknownRows(ids: Int32Array, start: number, end: number): number[];
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
  const ranges = fieldIds(fields);
  const layouts = fieldLayouts(fields);
  const everyLayout = layouts ?? fields.map((): FieldLayout => ({ kind: "ID" }));
  const places = fieldPlaces(everyLayout);
  const [ids, numbers] = [idsPerRow(everyLayout), numbersPerRow(everyLayout)];
  // Made when first needed: an import needs few of them, and a large vocabulary takes a while.
  let encoders: readonly EncodeValue[] | undefined;

  const encodeRow: Transform["encodeRow"] = (row, path, into, index) => {
    const encode = (encoders ??= valueEncoders(fields));
    const declared = scenarios.get(row.scenario);
    if (!declared) {
      const names = [...scenarios.keys()].map((name) => shown(name)).join(", ");
      throw inputFault(`${path}.scenario`, `one of ${names}`, shown(row.scenario));
    }
    for (let place = 0; place < fields.length; place++) {
      const field = fields[place]!;
      // A path for each value would cost more than all the rest.
      const at = (): string => `${path}.values.${field.column}`;
      const value = rawValue(row, field, scenario.column, declared.value, at);
      const { firstId, firstNumber } = places[place]!;
      encode[place]!(value, at, into, index * ids + firstId, index * numbers + firstNumber);
    }
    return declared.index;
  };

  const unknownRows: Transform["unknownRows"] = (encoded, start, end) =>
    places.map(({ firstId, ids: slots }, place) => {
      const { unknown } = ranges[place]!;
      let rows = 0;
      for (let row = start; unknown >= 0 && row < end; row++) {
        const first = row * ids + firstId;
        for (let id = first; id < first + slots; id++) {
          if (encoded[id] !== unknown) continue;
          rows++;
          break;
        }
      }
      return rows;
    });

  return {
    shape: {
      fields: fields.length,
      columns: fields.map(({ column }) => column),
      ...(layouts ? { layouts } : {}),
      ids: ranges.at(-1)!.end,
      unknownIds: ranges.map(({ unknown }) => unknown),
      scenarios: [...scenarios.keys()],
      tasks: [...json.tasks],
      ...(json.conditions ? { conditions: json.conditions } : {}),
    },
    ids,
    numbers,
    encodeRow,
    unknownRows,
    encode(rows, path = "rows") {
      const into = { ids: new Int32Array(rows.length * ids), numbers: new Float32Array(rows.length * numbers) };
      const scenarioOf = new Int32Array(rows.length);
      rows.forEach((row, index) => (scenarioOf[index] = encodeRow(row, `${path}[${index}]`, into, index)));
      const unknown = unknownRows(into.ids, 0, rows.length);
      const unknownByColumn = Object.fromEntries(fields.map(({ column }, place) => [column, unknown[place]!]));
      return { rows: rows.length, ...into, scenario: scenarioOf, unknown: unknownByColumn };
    },
    toJSON: () => json,
  };
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
