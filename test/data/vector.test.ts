import { describe, expect, it } from "vitest";
import type { FieldSpec } from "../../src/data/spec.ts";
import { useDataFolder } from "./dataFolder.ts";
import { importFields } from "./importedFields.ts";

const folder = useDataFolder();

const vector: FieldSpec = { column: "image", kind: "VECTOR", minimumCount: 1, separator: ";", width: 3 };
const imported = (train: readonly string[], out = "out") =>
  importFields(folder, { header: "image", train, fields: [vector], out });

describe("a vector", () => {
  it("is the numbers of its cell, or zeros where that is empty, and has no ids", async () => {
    const { manifest, rows } = await imported(["0.5;-1;2e3", '"[1, 0.25,-2]"', "", " 1 ;2; 3"]);

    expect(manifest.shape).toMatchObject({ ids: 0, unknownIds: [-1], layouts: [{ kind: "VECTOR", width: 3 }] });
    const { ids, numbers } = await rows("train");
    expect(ids).toEqual(new Int32Array(0));
    expect(numbers).toEqual(new Float32Array([0.5, -1, 2000, 1, 0.25, -2, 0, 0, 0, 1, 2, 3]));
  });

  it("is a list of numbers at prediction, or the text of a file", async () => {
    const { transform } = await imported(["1;2;3"]);
    const encoded = (image: unknown) => transform.encode([{ scenario: "home", values: { image } }]);

    expect(encoded([0.1, 0.2, 0.3]).numbers).toEqual(encoded("0.1;0.2;0.3").numbers);
    expect([null, ""].map((value) => [...encoded(value).numbers])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(encoded([1, 2, 3]).unknown).toEqual({ image: 0 });
    const place = 'rows[0].values.image: expected 3 numbers separated by ";", got';
    expect(() => encoded([1, 2])).toThrow(`${place} 2 numbers`);
    expect(() => encoded([1, "2", 3])).toThrow(`${place} "2"`);
    expect(() => encoded([1, null, 3])).toThrow(`${place} null`);
    expect(() => encoded([])).toThrow(`${place} an empty list`);
    expect(() => encoded([1, 2, 1e39])).toThrow(`${place} 1e+39`);
    expect(() => encoded("1;x;3")).toThrow(`${place} "x"`);
    expect(() => encoded({})).toThrow(`${place} {}`);
  });

  it("is refused with its line where there are more numbers or fewer, or one is none", async () => {
    const refused = (cell: string, got: string) =>
      expect(imported(["1;2;3", cell, "1"])).rejects.toThrow(
        expect.objectContaining({
          message: `out.csv, line 3, column "image": expected 3 numbers separated by ";", got ${got}`,
          detail: { field: "image", line: 3, expected: '3 numbers separated by ";"', received: got },
        }),
      );
    await refused("1;2", "2 numbers");
    await refused("1;2;3;4", "4 numbers");
    await refused("7", "1 number");
    await refused("1;two;3", '"two"');
    await refused("1;;3", "an empty place");
    await refused("1;2;nan", '"nan"');
    await refused("1;2;1e39", '"1e39"'); // no float32
    await refused('"[1, 2]"', "2 numbers");
  });
});
