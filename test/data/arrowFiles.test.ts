import { readFile } from "node:fs/promises";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { writeSplit } from "../../src/data/writeSplit.ts";
import type { RowColumns } from "../../src/data/writeSplit.ts";
import { useDataFolder } from "./dataFolder.ts";

const folder = useDataFolder();

/** Row r has the ids r and 2r, the scenario r mod 3 and the label r mod 2. */
async function* chunksOf(rows: number, size: number): AsyncGenerator<RowColumns> {
  for (let from = 0; from < rows; from += size) {
    const numbers = Int32Array.from({ length: Math.min(size, rows - from) }, (_, index) => from + index);
    yield {
      rows: numbers.length,
      integers: [numbers, numbers.map((row) => 2 * row), numbers.map((row) => row % 3)],
      numbers: [],
      labels: [Uint8Array.from(numbers, (row) => row % 2)],
    };
  }
}

const write = (rows: number, size: number, announced = rows) =>
  writeSplit({
    file: folder.path("split.arrow"),
    fields: ["a", "b"],
    tasks: ["click"],
    grouped: false,
    rows: announced,
    chunks: chunksOf(rows, size),
  });

describe("a split on disk", () => {
  it("is read as it was written, row by row", async () => {
    await write(3, 2);

    expect(await readSplit(folder.path("split.arrow"))).toEqual({
      rows: 3,
      ids: new Int32Array([0, 0, 1, 2, 2, 4]),
      numbers: new Float32Array(0),
      scenario: new Int32Array([0, 1, 2]),
      labels: new Float32Array([0, 1, 0]),
    });
  });

  it("is the same however the rows came in", async () => {
    const one = await write(150_000, 2048);
    const split = await readSplit(folder.path("split.arrow"));

    expect(split.rows).toBe(150_000);
    expect(split.ids.every((id, index) => id === (index >> 1) * (1 + (index & 1)))).toBe(true);
    expect(split.scenario.every((scenario, row) => scenario === row % 3)).toBe(true);
    expect(split.labels.every((label, row) => label === row % 2)).toBe(true);

    const other = await writeSplit({
      file: folder.path("other.arrow"),
      fields: ["a", "b"],
      tasks: ["click"],
      grouped: false,
      rows: 150_000,
      chunks: chunksOf(150_000, 100_000),
    });
    expect(other).toEqual(one);
  });
});

describe("a split with groups", () => {
  it("has the group after the scenario, and gives it back", async () => {
    await writeSplit({
      file: folder.path("split.arrow"),
      fields: ["a"], // of the numbers of `chunksOf` the second is the scenario here, the third the group
      tasks: ["click"],
      grouped: true,
      rows: 4,
      chunks: chunksOf(4, 3),
    });

    expect(await readSplit(folder.path("split.arrow"))).toEqual({
      rows: 4,
      ids: new Int32Array([0, 1, 2, 3]),
      numbers: new Float32Array(0),
      scenario: new Int32Array([0, 2, 4, 6]),
      groups: new Int32Array([0, 1, 2, 0]),
      labels: new Float32Array([0, 1, 0, 1]),
    });
  });
});

describe("a split with lists and numbers", () => {
  const lists = () =>
    (async function* () {
      for (let row = 0; row < 3; row++) {
        yield {
          rows: 1,
          integers: [Int32Array.of(row), Int32Array.of(10 + row, 20 + row), Int32Array.of(5), Int32Array.of(0)],
          numbers: [Float32Array.of(row / 2), Float32Array.of(row, -row, 0.5)],
          labels: [Uint8Array.of(1)],
        };
      }
    })();

  it("has a list column where a row has several, and is read row by row", async () => {
    const file = folder.path("split.arrow");
    await writeSplit({
      file,
      fields: ["a", "tags", "age", "image"],
      layouts: [
        { kind: "ID" },
        { kind: "POOLED", length: 2, padding: 99 },
        { kind: "VALUE" },
        { kind: "VECTOR", width: 3 },
      ],
      tasks: ["click"],
      grouped: false,
      rows: 3,
      chunks: lists(),
    });

    expect(await readSplit(file)).toEqual({
      rows: 3,
      ids: Int32Array.of(0, 10, 20, 5, 1, 11, 21, 5, 2, 12, 22, 5),
      numbers: Float32Array.of(0, 0, -0, 0.5, 0.5, 1, -1, 0.5, 1, 2, -2, 0.5),
      scenario: new Int32Array(3),
      labels: new Float32Array([1, 1, 1]),
    });
    const { schema } = tableFromIPC(await readFile(file));
    expect(schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual([
      "id:a Int32",
      "id:tags FixedSizeList[2]<Int32>",
      "id:age Int32",
      "scenario Int32",
      "number:age Float32",
      "number:image FixedSizeList[3]<Float32>",
      "label:click Uint8",
    ]);
  });
});

describe("a split that is not whole", () => {
  it("is refused when rows are missing", async () => {
    await expect(write(5, 2, 6)).rejects.toThrow("writeSplit: expected 6 rows, got 5");
  });

  it("does not write over a file", async () => {
    await write(1, 1);
    await expect(write(1, 1)).rejects.toThrow("EEXIST");
  });

  it("cannot be read when it is cut off or something else", async () => {
    await write(1000, 100);
    const whole = await readFile(folder.path("split.arrow"));
    const cut = await folder.write("cut.arrow", whole.subarray(0, whole.length / 2));
    await expect(readSplit(cut)).rejects.toThrow(`readSplit: ${cut}: expected the Arrow file of a split, got: `);
    const text = await folder.write("text.arrow", "user,tab\nanna,0\n");
    await expect(readSplit(text)).rejects.toThrow(`readSplit: ${text}: expected the Arrow file of a split, got: `);
  });
});
