/** What running an exported model has shown, as it is kept. */
import type { ModelExport } from "../../store/rows.ts";
import type { CellChange } from "../../training/pruneRule.ts";

export interface ExportRecord {
  /** Rows on which the file was run. */
  readonly checkedRows: number;
  /** Largest |Δp| between the file and the model on these rows. */
  readonly maxDifference: number;
  /** Bytes of the embedding tables as they are served, and in the file. */
  readonly tableBytes: { readonly before: number; readonly after: number };
  /** Of quantised tables, on the whole test split: the file against the model. Empty otherwise. */
  readonly cells: readonly CellChange[];
}

/** Null until it has SUCCEEDED. */
export const exportRecordOf = ({ record }: ModelExport): ExportRecord | null => record as ExportRecord | null;
