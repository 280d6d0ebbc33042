/**
 * The bins rows are counted in, the same for served rows as for those of training. A field has one for each of its (up to) 20
 * values, or buckets, that are most frequent in training, one for all other known ones together, and one for unknown ones.
 * Values have their ids in that order (src/data/fieldTransform.ts), so the bin is the place of the id in its field, cut at 20.
 *
 * A MULTI_VALUED or SEQUENCE field counts its values rather than its rows, and has one value less, for there is also a bin for
 * rows without any. Numbers that stay numbers have 19 bins of a quarter of their standard deviation around the mean, and one
 * where they are missing. A VECTOR has none.
 */
import type { DatasetShape } from "../../data/spec.ts";
import { fieldPlaces, idsPerRow, numbersPerRow } from "../../fieldLayout.ts";
import type { FieldLayout, FieldPlace } from "../../fieldLayout.ts";

/** Values that have a bin of their own. */
export const ownBins = 20;
export const otherBin = ownBins;
export const unknownBin = ownBins + 1;
/** Bins of a field, used or not. */
export const binCount = ownBins + 2;

/** Of a list, beside the one for rows without values; of numbers, beside the one for missing ones. */
export const valueBins = ownBins - 1;
const binsOfDeviation = 4;

/** What tells the fields of a row apart. */
export interface Binning {
  /** In a row. */
  readonly ids: number;
  readonly numbers: number;
  readonly fields: readonly (FieldPlace & {
    /** The id of the most frequent value. */
    readonly first: number;
    /** -1 where there is none. */
    readonly unknown: number;
  })[];
}

export function binningOf(shape: Pick<DatasetShape, "layouts" | "unknownIds">): Binning {
  const { unknownIds } = shape;
  const layouts = shape.layouts ?? unknownIds.map((): FieldLayout => ({ kind: "ID" }));
  const firsts = firstIds(layouts, unknownIds);
  const fields = fieldPlaces(layouts).map((place, field) => {
    return { ...place, first: firsts[field]!, unknown: unknownIds[field]! };
  });
  return { ids: idsPerRow(layouts), numbers: numbersPerRow(layouts), fields };
}

/** Fields lie behind each other. Of a list that has the ids of another field it is the first of that one. */
function firstIds(layouts: readonly FieldLayout[], unknownIds: readonly number[]): number[] {
  let next = 0;
  const own = layouts.map((layout, field) => {
    const first = next;
    if (layout.kind === "ID") next = unknownIds[field]! + 1;
    else if (layout.kind === "VALUE") next += 2;
    else if (layout.kind === "POOLED") next = layout.padding + 1;
    return first;
  });
  return own.map((first, field) => {
    const layout = layouts[field]!;
    if (layout.kind !== "POOLED" || layout.padding !== first) return first;
    return own[layouts.findIndex(({ kind }, other) => kind === "ID" && unknownIds[other] === unknownIds[field])]!;
  });
}

/**
 * Counts rows by scenario, field and bin. `ids` [rows, ids], `numbers` [rows, numbers] and `scenario` [rows] as they come from a
 * transform of this binning; into `counts` [scenarios, fields, bins].
 */
export function countBins(
  rows: {
    readonly rows: number;
    readonly ids: Int32Array;
    readonly numbers: Float32Array;
    readonly scenario: Int32Array;
  },
  binning: Binning,
  counts: Int32Array | Float64Array,
): void {
  const { fields } = binning;
  for (let row = 0; row < rows.rows; row++) {
    for (let field = 0; field < fields.length; field++) {
      const { layout, first, unknown, firstId, firstNumber } = fields[field]!;
      const start = (rows.scenario[row]! * fields.length + field) * binCount;
      const at = row * binning.ids + firstId;
      switch (layout.kind) {
        case "ID": {
          const id = rows.ids[at]!;
          counts[start + (id === unknown ? unknownBin : Math.min(id - first, otherBin))]!++;
          break;
        }
        case "VALUE": {
          const isMissing = rows.ids[at] !== first;
          const number = rows.numbers[row * binning.numbers + firstNumber]!;
          counts[start + (isMissing ? valueBins : binOfNumber(number))]!++;
          break;
        }
        case "POOLED": {
          if (rows.ids[at] === layout.padding) counts[start + Math.min(unknown - first, valueBins)]!++;
          for (let i = at; i < at + layout.length && rows.ids[i] !== layout.padding; i++) {
            const place = rows.ids[i]! - first;
            counts[start + (rows.ids[i] === unknown ? unknownBin : place < valueBins ? place : otherBin)]!++;
          }
          break;
        }
        case "VECTOR":
          break;
        default:
          return layout satisfies never;
      }
    }
  }
}

/** `deviations`: from the mean, in standard deviations. */
function binOfNumber(deviations: number): number {
  const middle = (valueBins - 1) / 2;
  return Math.max(0, Math.min(valueBins - 1, Math.round(deviations * binsOfDeviation) + middle));
}

/** Where the bins of numbers begin, but the first one, in standard deviations from the mean, ascending [18]. */
export const numberBounds: readonly number[] = Array.from(
  { length: valueBins - 1 },
  (_, bin) => (bin + 1 - valueBins / 2) / binsOfDeviation,
);
