import { describe, expect, it } from "vitest";
import type { FieldSpec, NumberScale } from "../../src/data/spec.ts";
import { useDataFolder } from "./dataFolder.ts";
import { importFields } from "./importedFields.ts";

const folder = useDataFolder();

const value = (scale: NumberScale = "STANDARD"): FieldSpec => {
  return { column: "age", kind: "NUMERIC", minimumCount: 1, bucketing: { kind: "VALUE", scale } };
};

describe("a number that stays a number", () => {
  it("is standardised by the training rows, with one id where it is there and one where it is missing", async () => {
    const train = ["10", "20", "30", ""];
    const { manifest, transform, rows } = await importFields(folder, { header: "age", train, fields: [value()] });

    expect(manifest.shape).toMatchObject({ fields: 1, ids: 2, unknownIds: [-1], layouts: [{ kind: "VALUE" }] });
    const std = Math.sqrt(200 / 3);
    expect(transform.toJSON().fields).toEqual([
      { column: "age", kind: "VALUE", scale: "STANDARD", mean: 20, std: expect.closeTo(std, 12), values: [] },
    ]);
    const { ids, numbers } = await rows("train");
    expect(ids).toEqual(new Int32Array([0, 0, 0, 1]));
    expect(numbers).toEqual(new Float32Array([-10 / std, 0, 10 / std, 1]));
  });

  it("on the LOG scale is the logarithm of its size with its sign", async () => {
    const train = ["0", String(Math.E - 1), String(1 - Math.E)];
    const { transform } = await importFields(folder, { header: "age", train, fields: [value("LOG")] });

    const [age] = transform.toJSON().fields;
    expect(age).toMatchObject({ scale: "LOG", mean: expect.closeTo(0, 12), std: expect.closeTo(Math.sqrt(2 / 3), 12) });
  });

  it("is eight standard deviations away at most", async () => {
    const train = ["0", "2"];
    const { transform } = await importFields(folder, { header: "age", train, fields: [value()] });

    const of = (age: unknown) => transform.encode([{ scenario: "home", values: { age } }]).numbers[0];
    expect([1, 9, 10, 1e300, -1e300].map(of)).toEqual([0, 8, 8, 8, -8]);
  });

  it("knows nothing of the other splits, and survives a training split without numbers, or with one alone", async () => {
    const none = await importFields(folder, { header: "age", train: ["", ""], test: ["7"], fields: [value()] });
    expect(none.transform.toJSON().fields[0]).toMatchObject({ mean: 0, std: 1 });
    expect((await none.rows("test")).numbers).toEqual(new Float32Array([7]));

    const same = { header: "age", train: ["5", "5"], test: ["6"], fields: [value()], out: "same" };
    expect((await importFields(folder, same)).transform.toJSON().fields[0]).toMatchObject({ mean: 5, std: 1 });
  });

  it("has no unknown values, and counts none", async () => {
    const { manifest, transform } = await importFields(folder, { header: "age", train: ["1", ""], fields: [value()] });
    const none = { train: 0, validation: 0, test: 0 };
    expect(manifest.fields).toEqual([{ column: "age", kept: 0, unknownShare: none }]);
    expect(manifest.cells[0]).toMatchObject({ unknownShare: 0 });
    expect(transform.encode([{ scenario: "home", values: { age: 99 } }]).unknown).toEqual({ age: 0 });
  });

  it("takes mean and deviation from the dataset whose vocabulary it takes", async () => {
    const first = await importFields(folder, { header: "age", train: ["10", "30"], fields: [value()] });
    const { fields } = first.transform.toJSON();
    const second = { header: "age", train: ["1000"], fields: [value()], vocabulary: fields, out: "second" };
    expect((await importFields(folder, second)).transform.toJSON().fields).toEqual(fields);
  });

  it("is refused with its line where it is none, in a file as in a request", async () => {
    const bad = importFields(folder, { header: "age", train: ["1", "old", "x"], fields: [value()] });
    await expect(bad).rejects.toThrow(
      'out.csv, line 3, column "age": expected a finite number or an empty cell, got "old"',
    );
    const { transform } = await importFields(folder, { header: "age", train: ["1"], fields: [value()], out: "good" });
    expect(() => transform.encode([{ scenario: "home", values: { age: "old" } }])).toThrow(
      'rows[0].values.age: expected a finite number, got "old"',
    );
  });
});
