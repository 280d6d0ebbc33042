/**
 * The bins rows are counted in, the same for served rows as for those of training. A field has one for each of its (up to) 20
 * values, or buckets, that are most frequent in training, one for all other known ones together, and one for unknown ones.
 * Values have their ids in that order (src/data/transform.ts), so the bin is the place of the id in its field, cut at 20.
 */

/** Values that have a bin of their own. */
export const ownBins = 20;
export const otherBin = ownBins;
export const unknownBin = ownBins + 1;
/** Bins of a field, used or not. */
export const binCount = ownBins + 2;

/**
 * Counts rows by scenario, field and bin. `ids` [rows, fields] and `scenario` [rows] as they come from a transform with these
 * `unknownIds` [fields]; into `counts` [scenarios, fields, bins].
 */
export function countBins(
  { rows, ids, scenario }: { readonly rows: number; readonly ids: Int32Array; readonly scenario: Int32Array },
  unknownIds: readonly number[],
  counts: Int32Array | Float64Array,
): void {
  const fields = unknownIds.length;
  for (let row = 0; row < rows; row++) {
    let first = 0;
    for (let field = 0; field < fields; field++) {
      const id = ids[row * fields + field]!;
      const unknownId = unknownIds[field]!;
      const bin = id === unknownId ? unknownBin : Math.min(id - first, otherBin);
      counts[(scenario[row]! * fields + field) * binCount + bin]!++;
      first = unknownId + 1;
    }
  }
}
