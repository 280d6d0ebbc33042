/** Compares two tables of numbers, row by row. */
import { expect } from "vitest";

type Table = readonly (readonly number[])[];

/** Fails where the shapes differ or a value is further from the expected one than `tolerance`. Default 1e-5. */
export function expectClose(
  actual: Table,
  expected: Table,
  what = "values",
  tolerance: number | Tolerance = 1e-5,
): void {
  expect(
    actual.map((row) => row.length),
    `${what}: shape`,
  ).toEqual(expected.map((row) => row.length));
  const allowed = typeof tolerance === "number" ? () => tolerance : tolerance;
  const outside = expected.flatMap((row, b) =>
    row.flatMap((value, j) => {
      const came = actual[b]![j]!;
      return Math.abs(came - value) <= allowed(value) ? [] : [{ row: b, column: j, expected: value, actual: came }];
    }),
  );
  expect(outside, `${what}: values outside the tolerance`).toEqual([]);
}

/** The allowed absolute difference from an expected value. */
export type Tolerance = (expected: number) => number;
