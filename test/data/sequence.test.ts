import { describe, expect, it } from "vitest";
import type { FieldSpec } from "../../src/data/spec.ts";
import { useDataFolder } from "./dataFolder.ts";
import { importFields } from "./importedFields.ts";

const folder = useDataFolder();

type Sequence = FieldSpec & { kind: "SEQUENCE" };
const history = (of: Partial<Sequence> = {}): Sequence => {
  const common = { column: "history", kind: "SEQUENCE", minimumCount: 1, separator: "|" } as const;
  return { ...common, maximumLength: 3, pooling: "MEAN", ...of };
};
const item: FieldSpec = { column: "item", kind: "CATEGORICAL", minimumCount: 1 };

describe("a sequence", () => {
  it("keeps the last values in their order, each as often as it is there", async () => {
    const train = ["a|b|a|c", "a|a", ""];
    const { manifest, rows } = await importFields(folder, { header: "history", train, fields: [history()] });

    // a in two rows, b and c in one: a 0, b 1, c 2, others 3, padding 4
    expect((await rows("train")).ids).toEqual(new Int32Array([1, 0, 2, 0, 0, 4, 4, 4, 4]));
    expect(manifest.shape.layouts).toEqual([{ kind: "POOLED", length: 3, padding: 4 }]);
    expect(manifest.fields[0]!.shortenedShare!.train).toBe(1 / 3);
  });

  it("may have the ids of a categorical field, one more for padding, and attend to that field", async () => {
    const fields = [history({ target: "item", pooling: "TARGET_ATTENTION" }), item];
    const train = ["i1|i2,i1", "i2|gone,i2", ",i1"];
    const { manifest, transform, rows } = await importFields(folder, { header: "history,item", train, fields });

    // history: padding 0; item: i1 1, i2 2, others 3
    expect(manifest.shape).toMatchObject({
      ids: 4,
      unknownIds: [3, 3],
      layouts: [{ kind: "POOLED", length: 3, padding: 0, attendsTo: 1 }, { kind: "ID" }],
    });
    expect(transform.toJSON().fields[0]).toMatchObject({ kind: "SEQUENCE", target: "item", values: [] });
    expect((await rows("train")).ids).toEqual(new Int32Array([1, 2, 0, 1, 2, 3, 0, 2, 0, 0, 0, 1]));
    expect(manifest.fields[0]).toMatchObject({ kept: 0, unknownShare: { train: 1 / 4 } });
  });

  it("with the ids of another field may also be averaged", async () => {
    const fields = [item, history({ target: "item" })];
    const { manifest } = await importFields(folder, { header: "item,history", train: ["i1,i1"], fields });
    expect(manifest.shape.layouts).toEqual([{ kind: "ID" }, { kind: "POOLED", length: 3, padding: 2 }]);
  });

  it("takes its ids from the dataset whose vocabulary it takes", async () => {
    const first = await importFields(folder, { header: "history", train: ["a|b"], fields: [history()] });
    const vocabulary = first.transform.toJSON().fields;
    const again = { header: "history", train: ["c|b"], fields: [history()], vocabulary, out: "second" };
    const { rows, manifest } = await importFields(folder, again);
    expect((await rows("train")).ids).toEqual(new Int32Array([2, 1, 3]));
    expect(manifest.shape).toEqual(first.manifest.shape);
  });
});
