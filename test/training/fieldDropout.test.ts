import { expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { dropIds, idSlots } from "../../src/training/fieldDropout.ts";
import { tinyShape } from "./tinyDataset.ts";

it("Ids become the unknown ones of their fields, as many as the share says", () => {
  const slots = idSlots(tinyShape);
  const ids = new Int32Array(30_000);
  dropIds(ids, 10_000, slots, 0.2, createRandom(1, "dropout"));
  for (const [field, unknown] of tinyShape.unknownIds.entries()) {
    const own = ids.filter((_, i) => i % 3 === field);
    expect(own.every((id) => id === 0 || id === unknown)).toBe(true);
    // 2000 on average; five standard deviations are 200.
    expect(Math.abs(own.filter((id) => id === unknown).length - 2000)).toBeLessThan(200);
  }
});

it("Each value of a list is dropped for itself, padding never, and neither is the id of a number", () => {
  const slots = idSlots({
    ...tinyShape,
    layouts: [{ kind: "VALUE" }, { kind: "POOLED", length: 3, padding: 9 }, { kind: "VECTOR", width: 2 }],
    unknownIds: [-1, 8, -1],
  });
  const ids = Int32Array.of(0, 2, 3, 9, 1, 4, 9, 9);
  dropIds(ids, 2, slots, 1, createRandom(1, "dropout"));
  expect([...ids]).toEqual([0, 8, 8, 9, 1, 8, 9, 9]);
});

it("The values of one list are not dropped together", () => {
  const slots = idSlots({ ...tinyShape, layouts: [{ kind: "POOLED", length: 1000, padding: 9 }], unknownIds: [8] });
  const ids = new Int32Array(1000);
  dropIds(ids, 1, slots, 0.5, createRandom(1, "dropout"));
  // 500 on average; five standard deviations are 79.
  expect(Math.abs(ids.filter((id) => id === 8).length - 500)).toBeLessThan(79);
});
