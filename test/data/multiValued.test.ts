import { describe, expect, it } from "vitest";
import type { FieldSpec } from "../../src/data/spec.ts";
import { useDataFolder } from "./dataFolder.ts";
import { importFields } from "./importedFields.ts";

const folder = useDataFolder();

const tags = (of: Partial<FieldSpec & { kind: "MULTI_VALUED" }> = {}): FieldSpec => {
  return { column: "tags", kind: "MULTI_VALUED", minimumCount: 1, separator: "|", maximumLength: 3, ...of };
};

describe("a field of many values", () => {
  it("has an id for each of them, in as many places as there may be, and padding where there are fewer", async () => {
    const train = ["a|b", "a", "", "a|b|c"];
    const { manifest, transform, rows } = await importFields(folder, { header: "tags", train, fields: [tags()] });

    // a 0, b 1, c 2, others 3, padding 4
    expect(manifest.shape).toMatchObject({
      ids: 5,
      unknownIds: [3],
      layouts: [{ kind: "POOLED", length: 3, padding: 4 }],
    });
    expect(transform.toJSON().fields).toEqual([
      { column: "tags", kind: "MULTI_VALUED", separator: "|", maximumLength: 3, values: ["a", "b", "c"] },
    ]);
    const { ids, numbers } = await rows("train");
    expect(ids).toEqual(new Int32Array([0, 1, 4, 0, 4, 4, 4, 4, 4, 0, 1, 2]));
    expect(numbers).toEqual(new Float32Array(0));
  });

  it("counts a value once in a row, leaves empty ones out, and keeps the first ones where there are too many", async () => {
    const train = ["b|b||b|a", "d|c|b|a|d", "c"];
    const { manifest, rows } = await importFields(folder, { header: "tags", train, fields: [tags()] });

    // Each of a, b, c in two rows, d in one: a 0, b 1, c 2, d 3, others 4, padding 5
    expect((await rows("train")).ids).toEqual(new Int32Array([1, 0, 5, 3, 2, 1, 2, 5, 5]));
    expect(manifest.fields[0]).toMatchObject({ kept: 4, shortenedShare: { train: 1 / 3, validation: 0, test: 0 } });
  });

  it("keeps values by the number of training rows they stand in, and tells the share of those that are unknown", async () => {
    const train = ["a|a|a|b", "b|c", "b"];
    const fields = [tags({ minimumCount: 2 })];
    const { manifest, transform, rows } = await importFields(folder, {
      header: "tags",
      train,
      test: ["a|b|?"],
      fields,
    });

    expect(transform.toJSON().fields[0]!.values).toEqual(["b"]);
    expect((await rows("test")).ids).toEqual(new Int32Array([1, 0, 1]));
    expect(manifest.fields[0]!.unknownShare).toEqual({ train: 2 / 5, validation: 1 / 2, test: 2 / 3 });
    expect(manifest.cells.at(-2)).toMatchObject({ split: "test", scenario: "home", unknownShare: 2 / 3 });
  });

  it("takes a list of values at prediction, or the text of a file", async () => {
    const { transform } = await importFields(folder, { header: "tags", train: ["a|7|true"], fields: [tags()] });
    const encoded = (value: unknown) => transform.encode([{ scenario: "home", values: { tags: value } }]);

    expect(encoded(["a", 7, true]).ids).toEqual(encoded("a|7|true").ids);
    expect(encoded(["a", null, "", "a"]).ids).toEqual(encoded("a").ids);
    expect([null, "", []].map((value) => [...encoded(value).ids])).toEqual(Array(3).fill([4, 4, 4]));
    expect(encoded(["?", "??", "a"]).unknown).toEqual({ tags: 1 });
    expect(() => encoded([{}])).toThrow("rows[0].values.tags: expected a text, a number, true, false or null, got {}");
  });

  it("may have any separator, and shares its file with fields of one value", async () => {
    const fields: FieldSpec[] = [{ column: "user", kind: "CATEGORICAL", minimumCount: 1 }, tags({ separator: "::" })];
    const train = ["u1,a::b", "u2,b"];
    const { rows } = await importFields(folder, { header: "user,tags", train, fields });

    // u1 0, u2 1, others 2; b 3, a 4, others 5, padding 6
    expect((await rows("train")).ids).toEqual(new Int32Array([0, 4, 3, 6, 1, 3, 6, 6]));
  });
});
