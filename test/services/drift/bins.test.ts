import { expect, it } from "vitest";
import type { FieldLayout } from "../../../src/fieldLayout.ts";
import {
  binCount,
  binningOf,
  countBins,
  numberBounds,
  otherBin,
  unknownBin,
  valueBins,
} from "../../../src/services/drift/bins.ts";

/** An item of 30 values (0 to 29, others 30), the history of items (padding 31), a number (32, missing 33), tags (a 34, others 35, padding 36). */
const layouts: FieldLayout[] = [
  { kind: "ID" },
  { kind: "POOLED", length: 3, padding: 31, attendsTo: 0 },
  { kind: "VALUE" },
  { kind: "VECTOR", width: 2 },
  { kind: "POOLED", length: 2, padding: 36 },
];
const binning = binningOf({ layouts, unknownIds: [30, 30, -1, -1, 35] });

/** Bins with their counts, of one field of rows of one scenario. */
function counted(field: number, rows: readonly { readonly ids: readonly number[]; readonly number?: number }[]) {
  const counts = new Int32Array(layouts.length * binCount);
  const numbers = Float32Array.from(rows.flatMap(({ number = 0 }) => [number, 7, 7]));
  const ids = Int32Array.from(rows.flatMap((row) => row.ids));
  countBins({ rows: rows.length, ids, numbers, scenario: new Int32Array(rows.length) }, binning, counts);
  const own = [...counts.subarray(field * binCount, (field + 1) * binCount).entries()];
  return Object.fromEntries(own.filter(([, count]) => count > 0));
}
const none = { ids: [0, 31, 31, 31, 33, 36, 36] };

it("A list counts its values, and rows without any, the ids of another field by their rank there", () => {
  const rows = [none, { ids: [5, 0, 18, 31, 33, 36, 36] }, { ids: [5, 19, 30, 29, 33, 36, 36] }];
  expect(counted(1, rows)).toEqual({ 0: 1, 18: 1, [valueBins]: 1, [otherBin]: 2, [unknownBin]: 1 });
  expect(counted(0, rows)).toEqual({ 0: 1, 5: 2 });
});

it("A list of fewer values than bins has the one for rows without any behind the last value", () => {
  const rows = [none, { ids: [0, 31, 31, 31, 33, 34, 35] }];
  expect(counted(4, rows)).toEqual({ 0: 1, 1: 1, [unknownBin]: 1 });
});

it("A number that stays one is counted by its distance from the mean, or as missing", () => {
  const at = (number: number) => ({ ids: [0, 31, 31, 31, 32, 36, 36], number });
  expect(counted(2, [at(0), at(0.12), at(-0.13), at(8), at(-8), { ...none, number: 1 }])).toEqual({
    0: 1,
    8: 1,
    9: 2,
    18: 1,
    [valueBins]: 1,
  });
  expect([numberBounds[0], numberBounds[8], numberBounds[9], numberBounds.at(-1)]).toEqual([
    -2.125, -0.125, 0.125, 2.125,
  ]);
});

it("A vector is not counted", () => {
  expect(counted(3, [none])).toEqual({});
});
