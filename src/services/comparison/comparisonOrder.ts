/** What a comparison by predictions is made from, and what comes of it. Plain data: it crosses a thread boundary. */
import type { Cell } from "../../data/onlyCell.ts";
import type { DatasetShape } from "../../data/spec.ts";
import type { CellComparison, ComparedMetric } from "../../metrics/judge.ts";
import type { SeedSpread } from "../../metrics/seedSpread.ts";
import type { StoredFile } from "../storedFile.ts";

export interface ComparisonOrder {
  /** The dataset's test.arrow. */
  readonly testFile: StoredFile;
  readonly shape: Pick<DatasetShape, "scenarios" | "tasks">;
  readonly cells: readonly CellOrder[];
}

export interface CellOrder extends Cell {
  readonly baseline: readonly StoredPredictions[];
  readonly candidate: readonly StoredPredictions[];
  readonly seedSpread: Readonly<Record<ComparedMetric, SeedSpread | null>>;
}

/** Float32 little-endian probabilities [test rows, tasks], or of a run on one cell [test rows of its scenario]. */
export interface StoredPredictions extends StoredFile {
  readonly isOfCell: boolean;
}

/** For each cell of the order its AUC and its log-loss. */
export type ComparedCells = readonly Readonly<Record<ComparedMetric, CellComparison>>[];
