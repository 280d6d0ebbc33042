/** Some rows of a split as a split of their own. */
import type { SplitRows } from "./spec.ts";

/** Those for which `holds`, in the order of the whole; the whole itself where all of them do. */
export function rowsWhere(whole: SplitRows, holds: (whole: SplitRows, row: number) => boolean): SplitRows {
  const own: number[] = [];
  for (let row = 0; row < whole.rows; row++) if (holds(whole, row)) own.push(row);
  return own.length === whole.rows ? whole : pickedRows(whole, own);
}

/** The rows of these numbers, in their order. */
export function pickedRows(whole: SplitRows, own: readonly number[]): SplitRows {
  const into = {
    ids: new Int32Array(own.length * widthOf(whole.ids, whole)),
    numbers: new Float32Array(own.length * widthOf(whole.numbers, whole)),
    labels: new Float32Array(own.length * widthOf(whole.labels, whole)),
  };
  for (const name of ["ids", "numbers", "labels"] as const) {
    const width = widthOf(whole[name], whole);
    for (const [i, row] of own.entries()) {
      into[name].set(whole[name].subarray(row * width, (row + 1) * width), i * width);
    }
  }
  return {
    rows: own.length,
    ...into,
    scenario: Int32Array.from(own, (row) => whole.scenario[row]!),
    ...(whole.groups ? { groups: Int32Array.from(own, (row) => whole.groups![row]!) } : {}),
  };
}

function widthOf({ length }: Int32Array | Float32Array, { rows }: SplitRows): number {
  return rows === 0 ? 0 : length / rows;
}
