/** How many values of MULTI_VALUED and SEQUENCE fields count, and how many of them training did not keep: told chunk by chunk. */
import { fieldIds } from "./fieldTransform.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import type { RowColumns } from "./writeSplit.ts";

export interface ListCount {
  readonly values: number;
  readonly unknown: number;
}

export interface ListCounts {
  /** `split` and the scenarios of the rows are their indices. */
  add(split: number, chunk: RowColumns): void;
  /** Of a field; nothing of one that is no list. */
  of(field: number, split: number, scenario: number): ListCount;
}

export function createListCounts(fields: readonly FieldTransform[]): ListCounts {
  const counts = new Map<string, { values: number; unknown: number }>();
  const withIds = fields
    .map((field, place) => ({ field, place, ...fieldIds(fields)[place]! }))
    .filter(({ field }) => field.kind !== "VECTOR");
  const lists = withIds.flatMap((each, column) => (each.padding < 0 ? [] : [{ ...each, column }]));
  const cellOf = (field: number, split: number, scenario: number) => {
    const key = `${field} ${split} ${scenario}`;
    const cell = counts.get(key) ?? { values: 0, unknown: 0 };
    counts.set(key, cell);
    return cell;
  };
  return {
    add(split, { rows, integers }) {
      const scenarios = integers[withIds.length]!;
      for (const { place, column, unknown, padding } of lists) {
        const ids = integers[column]!;
        const width = ids.length / rows;
        for (let row = 0; row < rows; row++) {
          const cell = cellOf(place, split, scenarios[row]!);
          for (let i = row * width; i < (row + 1) * width; i++) {
            if (ids[i] === padding) break;
            cell.values++;
            if (ids[i] === unknown) cell.unknown++;
          }
        }
      }
    },
    of: cellOf,
  };
}
