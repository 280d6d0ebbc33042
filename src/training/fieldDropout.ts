/** Field dropout: some ids of a batch become the unknown ids of their fields, so that the model learns what those mean. */
import type { DatasetShape } from "../data/spec.ts";
import { fieldPlaces } from "../fieldLayout.ts";
import type { Random } from "../random.ts";

/** One for every id of a row. */
export interface IdSlot {
  /** Of its field; -1 where there is none, and the id always stays. */
  readonly unknown: number;
  /** The id that is no value, and stays; -1 where there is none. */
  readonly padding: number;
}

export function idSlots({ fields, layouts, unknownIds }: DatasetShape): IdSlot[] {
  const places = fieldPlaces(layouts ?? Array.from({ length: fields }, () => ({ kind: "ID" as const })));
  return places.flatMap(({ ids, layout }, place) => {
    const padding = layout.kind === "POOLED" ? layout.padding : -1;
    return Array.from({ length: ids }, () => ({ unknown: unknownIds[place]!, padding }));
  });
}

/** Of the first rows of `ids` [rows, slots] each with probability `share`, whatever happens to the others of its field. */
export function dropIds(ids: Int32Array, rows: number, slots: readonly IdSlot[], share: number, random: Random): void {
  for (let i = 0; i < rows * slots.length; i++) {
    const { unknown, padding } = slots[i % slots.length]!;
    if (unknown < 0 || ids[i] === padding) continue;
    if (random.uniform() < share) ids[i] = unknown;
  }
}
