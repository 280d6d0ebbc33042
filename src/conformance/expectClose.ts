/** Compares two tables of numbers, row by row. */
import { checkEqual, checkNone } from "./check.ts";

type Table = readonly (readonly number[])[];

/** Fails where the shapes differ or a value is further from the expected one than `tolerance`. Default 1e-5. */
export function expectClose(
  actual: Table,
  expected: Table,
  what = "values",
  tolerance: number | Tolerance = 1e-5,
): void {
  const widths = (table: Table): number[] => table.map((row) => row.length);
  checkEqual(widths(actual), widths(expected), `${what}: shape`);
  const allowed = typeof tolerance === "number" ? () => tolerance : tolerance;
  const outside = expected.flatMap((row, b) =>
    row.flatMap((value, j) => {
      const came = actual[b]![j]!;
      return Math.abs(came - value) <= allowed(value) ? [] : [{ row: b, column: j, expected: value, actual: came }];
    }),
  );
  checkNone(outside, `${what}: values outside the tolerance`);
}

/** The allowed absolute difference from an expected value. */
export type Tolerance = (expected: number) => number;
