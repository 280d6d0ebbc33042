/** What an import made: the shape, the counts, the files. Plain JSON, stored with the dataset as it is. */
import type { Database } from "./duckDb.ts";
import { fieldIds } from "./fieldTransform.ts";
import { listSql } from "./fitList.ts";
import type { ListCount, ListCounts } from "./listCounts.ts";
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
  /**
   * Share of the values of these rows which training did not keep, [0, 1]: one for every field with values of its own, of lists
   * those that count. 0 where there are none.
   */
  readonly unknownShare: number;
}

export interface FieldCount {
  readonly column: string;
  /** Values kept, the id for all others not counted; 0 in fields of numbers, and where values have the ids of another field. */
  readonly kept: number;
  /** Share of the rows of a split whose value was not kept, [0, 1]; of a list share of its values. */
  readonly unknownShare: Readonly<Record<Split, number>>;
  /** Of a list: share of the rows of a split with more values than may count, [0, 1]. */
  readonly shortenedShare?: Readonly<Record<Split, number>>;
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

/** Counts the table `encoded` (encode.ts); `lists` has counted what was made of it. */
export async function countCells(
  database: Database,
  transform: TransformJson,
  scenarios: readonly string[],
  lists: ListCounts,
): Promise<DatasetCounts> {
  const { fields, tasks } = transform;
  const ids = fieldIds(fields);
  const sums = [
    ...tasks.map((_, task) => `sum(label${task}) AS positives${task}`),
    ...fields.flatMap((field, place) => {
      switch (field.kind) {
        case "CATEGORICAL":
        case "NUMERIC":
          return [`count(*) FILTER (id${place} = ${ids[place]!.unknown}) AS unknown${place}`];
        case "MULTI_VALUED":
        case "SEQUENCE": {
          const isLonger = `len(${listSql(field, `cell${place}`)}) > ${field.maximumLength}`;
          return [`count(*) FILTER (${isLonger}) AS shortened${place}`];
        }
        case "VALUE":
        case "VECTOR":
          return [];
        default:
          return field satisfies never;
      }
    }),
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
  /** Values of a field in a split, or in one scenario of it, and those among them that were not kept. */
  const valuesOf = (place: number, split: number, scenario?: number): ListCount => {
    const { kind } = fields[place]!;
    if (kind === "VALUE" || kind === "VECTOR") return { values: 0, unknown: 0 };
    if (kind === "CATEGORICAL" || kind === "NUMERIC") {
      return { values: total("rows", split, scenario), unknown: total(`unknown${place}`, split, scenario) };
    }
    const each = (scenario === undefined ? [...scenarios.keys()] : [scenario]).map((k) => lists.of(place, split, k));
    return {
      values: each.reduce((sum, { values }) => sum + values, 0),
      unknown: each.reduce((sum, { unknown }) => sum + unknown, 0),
    };
  };

  const cells = splits.flatMap((split, s) =>
    scenarios.flatMap((scenario, k) => {
      const rows = total("rows", s, k);
      const counted = fields.map((_, place) => valuesOf(place, s, k));
      const unknown = counted.reduce((sum, each) => sum + each.unknown, 0);
      const values = counted.reduce((sum, each) => sum + each.values, 0);
      const unknownShare = share(unknown, values);
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
    fields: fields.map(({ column, kind, values }, place) => ({
      column,
      kept: values.length,
      unknownShare: perSplit((split) => {
        const { values: all, unknown } = valuesOf(place, split);
        return share(unknown, all);
      }),
      ...(kind === "MULTI_VALUED" || kind === "SEQUENCE"
        ? { shortenedShare: perSplit((split) => share(total(`shortened${place}`, split), total("rows", split))) }
        : {}),
    })),
  };
}
