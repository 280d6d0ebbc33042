/** Made files for the checks of leakage: rows whose labels are drawn, imported for their warnings. */
import type { LeakageWarning } from "../../src/data/leakageWarning.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec, FieldSpec } from "../../src/data/spec.ts";
import type { DataFolder } from "./dataFolder.ts";

export type Row = Readonly<Record<string, string | number>>;

/** 8 : 1 : 1. */
export const partOf = (row: number): string => (row % 10 === 8 ? "valid" : row % 10 === 9 ? "test" : "train");

export const category = (column: string): FieldSpec => ({ column, kind: "CATEGORICAL", minimumCount: 1 });

export const amount = (column: string): FieldSpec => ({
  column,
  kind: "NUMERIC",
  minimumCount: 1,
  bucketing: { kind: "QUANTILES", count: 10 },
});

/** The warnings about a file of these rows, which have a tab (0, 1), a click (0, 1) and a part besides the fields. */
export async function warningsAbout(
  folder: DataFolder,
  rows: readonly Row[],
  fields: readonly FieldSpec[],
  more: Partial<DatasetSpec> = {},
): Promise<readonly LeakageWarning[]> {
  const columns = Object.keys(rows[0]!);
  const lines = rows.map((row) => columns.map((column) => row[column]).join(","));
  const file = await folder.write("views.csv", `${columns.join(",")}\n${lines.join("\n")}\n`);
  const spec: DatasetSpec = {
    fields,
    scenario: {
      column: "tab",
      values: [
        { value: "0", scenario: "home" },
        { value: "1", scenario: "search" },
      ],
    },
    labels: [{ column: "click", task: "click" }],
    split: { kind: "COLUMN", column: "part", train: "train", validation: "valid", test: "test" },
    ...more,
  };
  return (await importDataset({ file, spec, outFolder: folder.path("out") })).warnings!;
}
