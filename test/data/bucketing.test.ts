import { describe, expect, it } from "vitest";
import { bucketOf, bucketStarts, parseNumber } from "../../src/data/bucketing.ts";
import type { FittedBucketing } from "../../src/data/bucketing.ts";

const logSquared: FittedBucketing = { kind: "LOG_SQUARED" };

describe("bucketing by the squared logarithm", () => {
  it("is floor(ln² v) above 2 and the number without its fraction up to 2", () => {
    const buckets = [-3.7, -0.5, 0, 0.9, 1.5, 2, 2.5, 3, 10, 100, 1e6].map((value) => bucketOf(logSquared, value));
    expect(buckets).toEqual([-3, 0, 0, 0, 1, 2, 0, 1, 5, 21, 190]);
  });

  it("puts all numbers below -2^31 into one bucket", () => {
    expect([-1e10, -1e300].map((value) => bucketOf(logSquared, value))).toEqual([-2147483648, -2147483648]);
  });
});

describe("bucketing by boundaries", () => {
  it("puts a number into the bucket that begins at or below it", () => {
    const bucketing: FittedBucketing = { kind: "BOUNDARIES", boundaries: [0, 10, 20] };
    const buckets = [-1, 0, 5, 9.99, 10, 19, 20, 1e9].map((value) => bucketOf(bucketing, value));
    expect(buckets).toEqual([0, 1, 1, 1, 2, 2, 3, 3]);
  });
});

describe("the table of bucket starts", () => {
  const fromTable = (bucketing: FittedBucketing, value: number): number | undefined =>
    bucketStarts(bucketing, value).findLast(({ start }) => start <= value)?.bucket;

  it("says the same as the function, to the last bit", () => {
    const table = bucketStarts(logSquared, 1e12);
    for (const { start } of table.slice(1)) {
      for (const value of [start * (1 - Number.EPSILON / 2), start, start * (1 + Number.EPSILON)]) {
        expect(table.findLast((row) => row.start <= value)!.bucket).toBe(bucketOf(logSquared, value));
      }
    }
    for (const value of [3, 1000.5, 1e9]) expect(fromTable(logSquared, value)).toBe(bucketOf(logSquared, value));
  });

  it("reaches as far as the largest number and no further", () => {
    expect(bucketStarts(logSquared, 10).map(({ bucket }) => bucket)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(bucketStarts(logSquared, -5)).toEqual([{ start: Number.NEGATIVE_INFINITY, bucket: 0 }]);
  });
});

describe("a number as text", () => {
  it("is a decimal number, with or without exponent", () => {
    expect(["12", "-0.5", "+5", "5.", ".5", "1e5", "1E-3", "007"].map(parseNumber)).toEqual([
      12, -0.5, 5, 5, 0.5, 1e5, 1e-3, 7,
    ]);
  });

  it("is nothing else", () => {
    const others = ["", " 1", "1 ", "1,5", "0x10", "1_000", "NaN", "Infinity", "1e999", "e5", ".", "1e", "١"];
    expect(others.filter((text) => parseNumber(text) !== undefined)).toEqual([]);
  });
});
