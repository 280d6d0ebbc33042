import { expect, it } from "vitest";
import { readLabels, readSplit } from "../../src/data/arrowFiles.ts";
import { writeSplit } from "../../src/data/writeSplit.ts";
import { join } from "node:path";
import { temporaryFolder } from "../store/testStore.ts";

it("The labels of a split are read without its ids, the same as with them", async () => {
  const file = join(await temporaryFolder(), "test.arrow");
  const integers = [
    [5, 6, 7],
    [0, 1, 0],
    [2, 2, 0],
  ].map((column) => Int32Array.from(column));
  const labels = [
    [0, 1, 1],
    [1, 0, 0],
  ].map((column) => Uint8Array.from(column));
  async function* chunks() {
    yield { rows: 3, integers, numbers: [], labels };
  }
  await writeSplit({ file, fields: ["user"], tasks: ["click", "like"], grouped: true, rows: 3, chunks: chunks() });
  const { ids, numbers, ...rest } = await readSplit(file);
  expect(await readLabels(file)).toEqual(rest);
  expect(ids).toEqual(Int32Array.of(5, 6, 7));
  expect(numbers).toEqual(new Float32Array(0));
});
