/** What an import made: the shape, the counts, the files. Plain JSON, stored with the dataset as it is. */
import type { Database } from "./duckDb.ts";
import type { WrittenFile } from "./durableFile.ts";
import type { LeakageWarning } from "./leakageWarning.ts";
import { splits } from "./spec.ts";
import type { DatasetShape, Split } from "./spec.ts";
import type { TransformJson } from "./transform.ts";

export interface CellCount {
  readonly split: Split;
  readonly scenario: string;
  readonly task: string;
  readonly rows: number;
  /** Rows with label 1. */
  readonly positives: number;
  /** Share of the ids of these rows that stand for values which training did not keep, [0, 1]; 0 without rows. */
  readonly unknownShare: number;
}

export interface FieldCount {
  readonly column: string;
  /** Values kept, the id for all others not counted. */
  readonly kept: number;
  /** Share of the rows of a split whose value was not kept, [0, 1]. */
  readonly unknownShare: Readonly<Record<Split, number>>;
}

export const datasetFiles = ["train.arrow", "validation.arrow", "test.arrow", "transform.json"] as const;
export type DatasetFile = (typeof datasetFiles)[number];

export interface DatasetManifest {
  readonly version: 1;
  readonly shape: DatasetShape;
  /** Of all splits together. */
  readonly rows: number;
  readonly splits: Readonly<Record<Split, number>>;
  /** One for every split × scenario × task, also where it has no rows. */
  readonly cells: readonly CellCount[];
  /** In the order of the fields. */
  readonly fields: readonly FieldCount[];
  /** Absent in a manifest from before there were checks. */
  readonly warnings?: readonly LeakageWarning[];
  readonly files: Readonly<Record<DatasetFile, WrittenFile>>;
}

export type DatasetCounts = Pick<DatasetManifest, "rows" | "splits" | "cells" | "fields">;

/** Counts the table `encoded` (encode.ts). */
export async function countCells(
  database: Database,
  transform: TransformJson,
  scenarios: readonly string[],
): Promise<DatasetCounts> {
  const { fields, tasks } = transform;
  let ids = 0;
  const unknownIds = fields.map(({ values }) => (ids += values.length + 1) - 1);
  const sums = [
    ...tasks.map((_, task) => `sum(label${task}) AS positives${task}`),
    ...unknownIds.map((id, field) => `count(*) FILTER (id${field} = ${id}) AS unknown${field}`),
  ];
  const groups = await database.rows(
    `SELECT split, scenario, count(*) AS rows, ${sums.join(", ")} FROM encoded GROUP BY split, scenario`,
  );
  /** Sum of a column over a split, or over one scenario of it. */
  const total = (name: string, split: number, scenario?: number): number =>
    groups
      .filter((group) => group["split"] === split && (scenario === undefined || group["scenario"] === scenario))
      .reduce((sum, group) => sum + Number(group[name]), 0);
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

  const cells = splits.flatMap((split, s) =>
    scenarios.flatMap((scenario, k) => {
      const rows = total("rows", s, k);
      const unknown = fields.reduce((sum, _, field) => sum + total(`unknown${field}`, s, k), 0);
      const unknownShare = share(unknown, rows * fields.length);
      return tasks.map((task, t) => ({
        split,
        scenario,
        task,
        rows,
        positives: total(`positives${t}`, s, k),
        unknownShare,
      }));
    }),
  );
  const perSplit = (of: (split: number) => number): Record<Split, number> => ({
    train: of(0),
    validation: of(1),
    test: of(2),
  });
  const rows = perSplit((split) => total("rows", split));
  return {
    rows: rows.train + rows.validation + rows.test,
    splits: rows,
    cells,
    fields: fields.map(({ column, values }, field) => ({
      column,
      kept: values.length,
      unknownShare: perSplit((split) => share(total(`unknown${field}`, split), total("rows", split))),
    })),
  };
}
