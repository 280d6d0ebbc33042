import { describe, expect, it } from "vitest";
import { fillBatch, rowOrder } from "../../src/data/batches.ts";
import type { SplitRows } from "../../src/data/spec.ts";

describe("the order of the rows", () => {
  it("is that of the file without shuffling", () => {
    expect(rowOrder({ rows: 4, seed: 1, epoch: 1, shuffle: false })).toEqual(new Uint32Array([0, 1, 2, 3]));
  });

  it("is a permutation with it", () => {
    const order = rowOrder({ rows: 1000, seed: 1, epoch: 1, shuffle: true });
    expect(order).not.toEqual(new Uint32Array(1000).map((_, row) => row));
    expect(order.toSorted()).toEqual(new Uint32Array(1000).map((_, row) => row));
  });

  it("is the same for the same seed and epoch, and another for others", () => {
    const order = (seed: number, epoch: number): string => rowOrder({ rows: 50, seed, epoch, shuffle: true }).join();
    expect(order(7, 3)).toBe(order(7, 3));
    expect(new Set([order(7, 3), order(7, 4), order(8, 3), order(3, 7), order(2 ** 40 + 7, 3)]).size).toBe(5);
  });

  it("puts every row first equally often", () => {
    const first = [0, 0, 0, 0, 0];
    for (let epoch = 0; epoch < 5000; epoch++) {
      first[rowOrder({ rows: 5, seed: 1, epoch, shuffle: true })[0]!]!++;
    }
    // 1000 each on average; five standard deviations are 141.
    for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(141);
  });

  it("may be empty", () => {
    expect(rowOrder({ rows: 0, seed: 1, epoch: 1, shuffle: true })).toEqual(new Uint32Array(0));
  });
});

describe("filling a batch", () => {
  const source: SplitRows = {
    rows: 3,
    ids: new Int32Array([1, 2, 11, 12, 21, 22]),
    numbers: new Float32Array([0.5, 1.5, 2.5]),
    scenario: new Int32Array([0, 1, 2]),
    labels: new Float32Array([0, 1, 1]),
  };
  const order = new Uint32Array([2, 0, 1]);
  const room = (rows: number) => ({
    ids: new Int32Array(rows * 2),
    numbers: new Float32Array(rows),
    scenario: new Int32Array(rows),
    labels: new Float32Array(rows),
  });

  it("copies the rows in the given order", () => {
    const into = room(2);
    expect(fillBatch({ source, order, start: 0, end: 2, into })).toBe(2);
    expect(into).toEqual({
      ids: new Int32Array([21, 22, 1, 2]),
      numbers: new Float32Array([2.5, 0.5]),
      scenario: new Int32Array([2, 0]),
      labels: new Float32Array([1, 0]),
    });
  });

  it("says how many rows the last batch has and leaves the rest alone", () => {
    const into = room(2);
    into.ids.fill(-1);
    expect(fillBatch({ source, order, start: 2, end: 4, into })).toBe(1);
    expect(into.ids).toEqual(new Int32Array([11, 12, -1, -1]));
    expect(fillBatch({ source, order, start: 4, end: 6, into })).toBe(0);
  });

  it("refuses arrays that are too small", () => {
    expect(() => fillBatch({ source, order, start: 0, end: 3, into: room(2) })).toThrow(
      "fillBatch: expected room for 3 rows of 2 ids, 1 numbers and 1 labels, got 4 ids, 2 numbers, 2 scenarios, 2 labels",
    );
  });
});
