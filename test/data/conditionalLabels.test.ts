import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { shapeOfCell } from "../../src/data/onlyCell.ts";
import { checkSpec } from "../../src/data/checkSpec.ts";
import { openDatabase } from "../../src/data/duckDb.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec, LabelSpec } from "../../src/data/spec.ts";
import { transformFromJson } from "../../src/data/transform.ts";
import { readFile } from "node:fs/promises";
import { useDataFolder, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

const click: LabelSpec = { column: "click", task: "click" };
const conversion: LabelSpec = { column: "conversion", task: "conversion", onlyWhere: "click" };
const refund: LabelSpec = { column: "refund", task: "refund", onlyWhere: "conversion" };
const specOf = (...labels: LabelSpec[]): DatasetSpec => ({ ...viewsSpec, labels });

const header = "user,tab,click,conversion,refund,part";
const rows = [
  "anna,0,1,1,1,train",
  "bert,0,0,,,train", // nothing is known of what was not clicked
  "anna,1,0,1,1,train", // and what is said of it does not count
  "anna,0,1,0,,valid", // a refund stands under both
  "carl,1,1,1,0,test",
];
const writeRows = (...lines: string[]) => folder.write("shop.csv", [header, ...lines, ""].join("\n"));

async function imported(spec: DatasetSpec, file: string) {
  const manifest = await importDataset({ file, spec, outFolder: folder.path("out") });
  const labels = async (split: string) => Array.from((await readSplit(folder.path(`out/${split}.arrow`))).labels);
  return { manifest, labels };
}

describe("labels of conditional tasks", () => {
  it("are those of both: 1 where the condition and the cell are 1, whatever else the cell holds", async () => {
    const { manifest, labels } = await imported(specOf(click, conversion), await writeRows(...rows));
    expect(await labels("train")).toEqual([1, 1, 0, 0, 0, 0]);
    expect(await labels("validation")).toEqual([1, 0]);
    expect(manifest.shape.conditions).toEqual([null, 0]);
    const positives = manifest.cells.filter(({ split, scenario }) => split === "train" && scenario === "home");
    expect(positives.map(({ task, rows: all, positives: own }) => [task, all, own])).toEqual([
      ["click", 2, 1],
      ["conversion", 2, 1],
    ]);
  });

  it("go on in chains, in any order of the labels", async () => {
    const { manifest, labels } = await imported(specOf(refund, click, conversion), await writeRows(...rows));
    expect(manifest.shape.conditions).toEqual([2, null, 1]);
    expect(await labels("train")).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect(await labels("validation")).toEqual([0, 1, 0]);
    expect(await labels("test")).toEqual([0, 1, 1]);
  });

  it("are remembered by the transform, and nothing is where no task is conditional", async () => {
    const file = await writeRows(...rows);
    const { manifest } = await imported(specOf(click, conversion), file);
    const json: unknown = JSON.parse(await readFile(folder.path("out/transform.json"), "utf8"));
    expect(transformFromJson(json).shape).toEqual(manifest.shape);
    const plain = await importDataset({ file, spec: specOf(click), outFolder: folder.path("plain") });
    expect(plain.shape).not.toHaveProperty("conditions");
    expect(await readFile(folder.path("plain/transform.json"), "utf8")).not.toContain("conditions");
  });

  it("may be missing in a Parquet file too, as numbers and as truth values", async () => {
    const csv = await writeRows(...rows);
    const database = await openDatabase(folder.path("spill"));
    await database.run(
      `COPY (SELECT * REPLACE (CAST(conversion AS BOOLEAN) AS conversion) FROM read_csv('${csv}'))
         TO '${folder.path("shop.parquet")}' (FORMAT parquet)`,
    );
    await database.close();
    const { labels } = await imported(specOf(click, conversion, refund), folder.path("shop.parquet"));
    expect(await labels("train")).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  it("bring no warning of leakage by being nested", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => {
      const [user, isClick] = [`u${(i * 7919) % 97}`, (i * 104_729) % 11 < 4];
      const cells = isClick ? [1, Number((i * 15_485_863) % 7 < 3)] : [0, i % 2 === 0 ? "" : i % 3 === 0 ? 1 : 0];
      return [user, i % 2, ...cells, "", ["train", "train", "valid", "test"][(i >> 3) % 4]].join(",");
    });
    const { manifest } = await imported(specOf(click, conversion), await writeRows(...lines));
    expect(manifest.warnings).toEqual([]);
  });

  it("are in a cell alone labels like others", async () => {
    const { manifest } = await imported(specOf(click, conversion), await writeRows(...rows));
    expect(shapeOfCell(manifest.shape, { scenario: "home", task: "conversion" })).toEqual({
      ...manifest.shape,
      scenarios: ["home"],
      tasks: ["conversion"],
      conditions: undefined,
    });
  });
});

describe("a file with conditional labels is refused", () => {
  it.each([
    ["a cell is empty where the condition is 1", "anna,0,1,,,train", "conversion", "click", "an empty cell"],
    ["a cell holds something else where the condition is 1", "anna,0,1,2,,train", "conversion", "click", '"2"'],
    ["a cell holds something else where the condition is 0", "anna,0,0,2,,train", "conversion", "click", '"2"'],
    ["a cell is empty where the whole chain is 1", "anna,0,1,1,,train", "refund", "conversion", "an empty cell"],
  ])("where %s", async (_, line, column, over, received) => {
    const file = await writeRows(rows[0]!, line, ...rows.slice(3));
    const spec = specOf(click, conversion, refund);
    await expect(importDataset({ file, spec, outFolder: folder.path("out") })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: `shop.csv, line 3, column "${column}": expected 0 or 1, or an empty cell where ${over} is 0, got ${received}`,
      detail: { field: column, line: 3 },
    });
  });

  it("where a condition itself is missing", async () => {
    const file = await writeRows(...rows, "anna,0,,1,1,train");
    await expect(
      importDataset({ file, spec: specOf(click, conversion), outFolder: folder.path("out") }),
    ).rejects.toThrow('shop.csv, line 7, column "click": expected 0 or 1, got an empty cell');
  });

  it.each([
    [
      "has no label of the condition",
      [conversion],
      'labels[0].task: expected a label of click too, as "conversion" counts only where that is 1, got none',
    ],
    [
      "has no label further up",
      [refund, conversion],
      'labels[0].task: expected a label of click too, as "conversion" counts only where that is 1, got none',
    ],
    [
      "goes in a circle",
      [{ ...click, onlyWhere: "conversion" }, conversion],
      "labels[0].task: expected conditions without a circle, got click, conversion, click",
    ],
    [
      "stands under itself",
      [{ ...click, onlyWhere: "click" }],
      "labels[0].task: expected conditions without a circle, got click, click",
    ],
  ])("and so is a spec that %s", (_, labels, message) => {
    expect(() => checkSpec(specOf(...labels), header.split(","))).toThrow(`input.${message}`);
  });
});
