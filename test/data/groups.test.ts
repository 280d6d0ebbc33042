import { readFile } from "node:fs/promises";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { useDataFolder, viewsCsv, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

async function groupsOf(csv: string, spec: DatasetSpec): Promise<(Int32Array | undefined)[]> {
  const file = await folder.write("views.csv", csv);
  await importDataset({ file, spec, outFolder: folder.path("out") });
  const splits = ["train", "validation", "test"].map((name) => readSplit(folder.path(`out/${name}.arrow`)));
  return (await Promise.all(splits)).map(({ groups }) => groups);
}

describe("a group column", () => {
  it("numbers its values over all splits in the order of the file, and may also be a field", async () => {
    expect(await groupsOf(viewsCsv, { ...viewsSpec, group: { column: "user" } })).toEqual([
      new Int32Array([0, 1, 0]), // anna, bert, anna
      new Int32Array([0]), // anna
      new Int32Array([2]), // carl
    ]);
  });

  it("need not be a field, and an empty cell is a group like others", async () => {
    const csv = [
      "session,user,tab,click,like,part",
      "x,a,0,1,0,train",
      ",a,0,0,0,train",
      ",b,1,1,1,valid",
      "x,b,1,1,0,test",
    ];
    expect(await groupsOf(csv.join("\n"), { ...viewsSpec, group: { column: "session" } })).toEqual([
      new Int32Array([0, 1]),
      new Int32Array([1]),
      new Int32Array([0]),
    ]);
  });

  it("stays with its rows, with so many fields that they are encoded in several turns", async () => {
    const names = Array.from({ length: 25 }, (_, field) => `f${field}`);
    const rows = Array.from({ length: 5000 }, (_, row) => {
      const part = row % 10 === 8 ? "valid" : row % 10 === 9 ? "test" : "train";
      return [
        ...names.map((_, field) => (row * (field + 3)) % 11),
        `g${(row * 7) % 613}`,
        row % 2,
        row % 3 && 1,
        part,
      ].join(",");
    });
    const spec: DatasetSpec = {
      ...viewsSpec,
      fields: names.map((column) => ({ column, kind: "CATEGORICAL", minimumCount: 1 })),
      labels: [{ column: "click", task: "click" }],
      group: { column: "user" },
    };
    const [, , test] = await groupsOf([[...names, "user,tab,click,part"].join(","), ...rows].join("\n"), spec);

    const numbers = new Map<number, number>();
    const expected = rows.map((_, row) => {
      const value = (row * 7) % 613;
      if (!numbers.has(value)) numbers.set(value, numbers.size);
      return numbers.get(value)!;
    });
    expect(test).toEqual(Int32Array.from(expected.filter((_, row) => row % 10 === 9)));
  });

  it("is a column of its own in the file, and nothing is there without it", async () => {
    const columns = async (spec: DatasetSpec, name: string): Promise<string[]> => {
      const file = await folder.write("views.csv", viewsCsv);
      await importDataset({ file, spec, outFolder: folder.path(name) });
      const { schema } = tableFromIPC(await readFile(folder.path(`${name}/train.arrow`)));
      return schema.fields.map((field) => `${field.name} ${field.type}`);
    };
    const labels = ["label:click Uint8", "label:like Uint8"];
    expect(await columns({ ...viewsSpec, group: { column: "user" } }, "with")).toEqual([
      "id:user Int32",
      "id:tab Int32",
      "scenario Int32",
      "group Int32",
      ...labels,
    ]);
    expect(await columns(viewsSpec, "without")).toEqual(["id:user Int32", "id:tab Int32", "scenario Int32", ...labels]);
    expect((await readSplit(folder.path("without/train.arrow"))).groups).toBeUndefined();
  });
});
