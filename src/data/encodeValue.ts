/** From the value of a field in one row to its ids and numbers: at prediction of all fields, at import of those not encoded in SQL. */
import { bucketOf, parseNumber } from "./bucketing.ts";
import { inputFault, shown } from "./faults.ts";
import { countedValues } from "./fieldLists.ts";
import { isFloat, piecesOf, standardised, vectorExpected, vectorOf } from "./fieldNumbers.ts";
import { fieldIds, vocabularyPlace } from "./fieldTransform.ts";
import type { FieldIds, FieldTransform } from "./fieldTransform.ts";

/** Where rows are encoded to, row-major. */
export interface RowArrays {
  /** [rows, ids] */
  readonly ids: Int32Array;
  /** [rows, numbers] */
  readonly numbers: Float32Array;
}

/**
 * Writes the ids and numbers of a value to `into`, from `id` and `number`. Throws InvalidInputError with the path `at()`;
 * what it has written by then may be written over.
 */
export type EncodeValue = (value: unknown, at: () => string, into: RowArrays, id: number, number: number) => void;

/** One for every field. `wanted`: for which fields; default: all. A large vocabulary takes a while. */
export function valueEncoders(
  fields: readonly FieldTransform[],
  wanted: (field: FieldTransform, place: number) => boolean = () => true,
): EncodeValue[] {
  const ids = fieldIds(fields);
  const vocabularies = new Map<number, ReadonlyMap<string, number>>();
  const idsOf = (place: number): ReadonlyMap<string, number> => {
    const own = vocabularyPlace(fields, place);
    const { first } = ids[own]!;
    const known = vocabularies.get(own) ?? new Map(fields[own]!.values.map((value, index) => [value, first + index]));
    vocabularies.set(own, known);
    return known;
  };
  return fields.map((field, place) =>
    wanted(field, place) ? encoderOf(field, ids[place]!, () => idsOf(place)) : () => {},
  );
}

function encoderOf(field: FieldTransform, own: FieldIds, idsOf: () => ReadonlyMap<string, number>): EncodeValue {
  switch (field.kind) {
    case "CATEGORICAL": {
      const known = idsOf();
      return (value, at, { ids }, id) => void (ids[id] = known.get(textOf(value, at)) ?? own.unknown);
    }
    case "NUMERIC": {
      const known = idsOf();
      return (value, at, { ids }, id) => {
        const number = numberOf(value, at);
        const key = number === undefined ? "" : String(bucketOf(field.bucketing, number));
        ids[id] = known.get(key) ?? own.unknown;
      };
    }
    case "VALUE":
      return (value, at, { ids, numbers }, id, place) => {
        const number = numberOf(value, at);
        ids[id] = number === undefined ? own.first + 1 : own.first;
        numbers[place] = number === undefined ? 1 : standardised(field, number);
      };
    case "MULTI_VALUED":
    case "SEQUENCE": {
      const known = idsOf();
      return (value, at, { ids }, id) => {
        const counted = countedValues(field, textsOf(value, field.separator, at));
        ids.fill(own.padding, id, id + field.maximumLength);
        counted.forEach((text, index) => (ids[id + index] = known.get(text) ?? own.unknown));
      };
    }
    case "VECTOR":
      return (value, at, { numbers }, _, place) => numbers.set(numbersOf(field, value, at), place);
    default:
      return field satisfies never;
  }
}

/** Undefined for a missing one. */
function numberOf(value: unknown, at: () => string): number | undefined {
  if (value === null || value === "") return undefined;
  const number = typeof value === "string" ? parseNumber(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw inputFault(at(), "a finite number", shown(value));
}

function textsOf(value: unknown, separator: string, at: () => string): string[] {
  return Array.isArray(value) ? value.map((item) => textOf(item, at)) : textOf(value, at).split(separator);
}

function numbersOf(field: FieldTransform & { readonly kind: "VECTOR" }, value: unknown, at: () => string): number[] {
  const { separator, width } = field;
  if (value === null || value === "") return Array.from({ length: width }, () => 0);
  const numbers = typeof value === "string" ? vectorOf(value, separator) : [value].flat();
  if (numbers.length === width && numbers.every(isFloat)) return numbers as number[];
  throw inputFault(at(), vectorExpected(field), wrongVector(value, separator));
}

/** What came instead of a vector: the first thing in it that is no number, or how many there are. */
export function wrongVector(value: unknown, separator: string): string {
  if (Array.isArray(value) && value.length === 0) return "an empty list";
  const pieces: readonly unknown[] = typeof value === "string" ? piecesOf(value, separator) : [value].flat();
  const wrong = pieces.find((piece) => !isFloat(typeof value === "string" ? parseNumber(String(piece)) : piece));
  if (wrong !== undefined) return wrong === "" ? "an empty place" : shown(wrong);
  return pieces.length === 1 ? "1 number" : `${pieces.length} numbers`;
}

/** The text of a category; of numbers the one `textOfParquet` gives them. */
export function textOf(value: unknown, at: () => string): string {
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
