import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { transformFromJson, type TransformJson } from "../../src/data/transform.ts";
import { useDataFolder, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

const spec: DatasetSpec = {
  ...viewsSpec,
  fields: [
    ...viewsSpec.fields,
    { column: "age", kind: "NUMERIC", minimumCount: 1, bucketing: { kind: "QUANTILES", count: 2 } },
  ],
};
const header = "user,tab,age,click,like,part";
const first = [
  "anna,0,20,1,0,train",
  "bert,0,,0,0,train",
  "anna,1,40,1,1,train",
  "anna,0,20,0,0,valid",
  "o'neil,1,9,1,0,test",
];
const mall = { value: "2", scenario: "mall" };

describe("a dataset with the vocabulary of another", () => {
  it("has its ids and its bucketing; what it does not know is unknown, however often it is there", async () => {
    const one = await folder.write("one.csv", [header, ...first, ""].join("\n"));
    const before = await importDataset({ file: one, spec, outFolder: folder.path("one") });
    const { fields } = JSON.parse(await readFile(folder.path("one/transform.json"), "utf8")) as TransformJson;
    const rows = ["dora,2,20,1,0,train", "dora,2,,0,0,train", "bert,2,99,0,1,valid", "anna,2,1,0,1,test"];
    const two = await folder.write("two.csv", [header, ...rows, ""].join("\n"));
    const grown = { ...spec, scenario: { column: "tab", values: [...spec.scenario.values, mall] } };
    const after = await importDataset({ file: two, spec: grown, vocabulary: fields, outFolder: folder.path("two") });

    expect(after.shape).toEqual({ ...before.shape, scenarios: ["home", "search", "mall"] });
    // user: anna 0, bert 1, others 2; tab: "0" 3, "1" 4, others 5; age: a missing one, below 40, from 40 on, others
    const { ids, scenario } = await readSplit(folder.path("two/train.arrow"));
    expect(Array.from(scenario)).toEqual([2, 2]);
    const transform = transformFromJson(JSON.parse(await readFile(folder.path("two/transform.json"), "utf8")));
    const encoded = transform.encode([
      { scenario: "mall", values: { user: "dora", age: 20 } },
      { scenario: "mall", values: { user: "dora", age: null } },
    ]);
    expect(ids).toEqual(encoded.ids);
    expect(Array.from(ids).map((id, i) => (i % 3 < 2 ? id : id > 5))).toEqual([2, 5, true, 2, 5, true]);
    const old = transformFromJson({ ...transform.toJSON(), scenario: spec.scenario });
    const known = [{ scenario: "search", values: { user: "anna", age: 40 } }];
    expect(transform.encode(known).ids).toEqual(old.encode(known).ids);
    expect(after.fields.map(({ kept }) => kept)).toEqual(before.fields.map(({ kept }) => kept));
  });
});
