/** Some rows of a split as a split of their own. */
import type { SplitRows } from "./spec.ts";

/** Those for which `holds`, in the order of the whole; the whole itself where all of them do. */
export function rowsWhere(whole: SplitRows, holds: (whole: SplitRows, row: number) => boolean): SplitRows {
  const own: number[] = [];
  for (let row = 0; row < whole.rows; row++) if (holds(whole, row)) own.push(row);
  if (own.length === whole.rows) return whole;
  const [fields, tasks] = [whole.ids.length / whole.rows, whole.labels.length / whole.rows];
  const ids = new Int32Array(own.length * fields);
  const labels = new Float32Array(own.length * tasks);
  for (const [i, row] of own.entries()) {
    ids.set(whole.ids.subarray(row * fields, (row + 1) * fields), i * fields);
    labels.set(whole.labels.subarray(row * tasks, (row + 1) * tasks), i * tasks);
  }
  return {
    rows: own.length,
    ids,
    labels,
    scenario: Int32Array.from(own, (row) => whole.scenario[row]!),
    ...(whole.groups ? { groups: Int32Array.from(own, (row) => whole.groups![row]!) } : {}),
  };
}
