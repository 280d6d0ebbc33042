/** A model with the tables that a quantised export has, as numbers again: what such a file must answer like. */
import type { Checkpoint, NamedArray } from "../model/checkpoint.ts";
import { quantisedTable } from "../model/folding/quantisedTables.ts";

/** `embedding` and `gateEmbedding` [ids, e], and of models that have grown `embedding/1` and so on. */
const isTable = /^(gateEmbedding|embedding(\/\d+)?)$/;

/** The given checkpoint stays as it is; what is no table is shared with it. */
export function quantisedCheckpoint({ arrays, ...rest }: Checkpoint): Checkpoint {
  const changed = Object.entries(arrays).map(([name, array]) => [name, isTable.test(name) ? rounded(array) : array]);
  return { ...rest, arrays: Object.fromEntries(changed) as Checkpoint["arrays"] };
}

function rounded(table: NamedArray): NamedArray {
  const [whole, scales] = Object.values(quantisedTable("table", table)).map(({ values }) => values);
  const dim = table.shape[1]!;
  // Loops: `from` with a function takes ten times as long, and there are millions.
  const values = new Float32Array(whole!.length);
  for (let i = 0; i < values.length; i++) values[i] = whole![i]! * scales![Math.floor(i / dim)]!;
  return { ...table, values };
}
