/** Columns of an exported row: each with its name, its type in the file and where its value is from. */
import type { LineColumn } from "../../data/lineFiles.ts";

export interface Column<Source> extends LineColumn {
  /** JSON, or a Date for TIME. */
  readonly of: (source: Source) => unknown;
}

/** What a job writes: one column for every member of the rows. */
export interface Exported {
  readonly columns: readonly LineColumn[];
  readonly rows: AsyncIterable<object>;
}

export function rowOf<Source>(columns: readonly Column<Source>[], source: Source): object {
  return Object.fromEntries(columns.map(({ name, of }) => [name, of(source)]));
}

/** A word of the program as the API writes it: `normalisedEntropy` is NORMALISED_ENTROPY. */
export function apiWord(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
