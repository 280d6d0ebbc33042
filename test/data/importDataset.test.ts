import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { useDataFolder, viewsCsv, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

describe("importing a dataset", () => {
  it("turns a CSV file into three files of ids and a transform", async () => {
    const file = await folder.write("views.csv", viewsCsv);

    const manifest = await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });

    // user: anna 0, bert 1, others 2; tab: "0" 3, "1" 4, others 5
    expect(manifest.shape).toEqual({
      fields: 2,
      ids: 6,
      columns: ["user", "tab"],
      unknownIds: [2, 5],
      scenarios: ["home", "search"],
      tasks: ["click", "like"],
    });
    expect(await readSplit(folder.path("out/train.arrow"))).toEqual({
      rows: 3,
      ids: new Int32Array([0, 3, 1, 3, 0, 4]),
      numbers: new Float32Array(0),
      scenario: new Int32Array([0, 0, 1]),
      labels: new Float32Array([1, 0, 0, 0, 1, 1]),
    });
    expect(await readSplit(folder.path("out/test.arrow"))).toEqual({
      rows: 1,
      ids: new Int32Array([2, 4]), // carl is not in the training split
      numbers: new Float32Array(0),
      scenario: new Int32Array([1]),
      labels: new Float32Array([1, 0]),
    });
    expect((await readdir(folder.path("out"))).sort()).toEqual([
      "test.arrow",
      "train.arrow",
      "transform.json",
      "validation.arrow",
    ]);
  });

  it("counts rows, positives and unknown values per split, scenario and task", async () => {
    const file = await folder.write("views.csv", viewsCsv);

    const manifest = await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });

    expect(manifest.rows).toBe(5);
    expect(manifest.splits).toEqual({ train: 3, validation: 1, test: 1 });
    expect(manifest.cells).toHaveLength(3 * 2 * 2);
    expect(manifest.cells.slice(0, 2)).toEqual([
      { split: "train", scenario: "home", task: "click", rows: 2, positives: 1, unknownShare: 0 },
      { split: "train", scenario: "home", task: "like", rows: 2, positives: 0, unknownShare: 0 },
    ]);
    expect(manifest.cells.slice(-4)).toEqual([
      { split: "test", scenario: "home", task: "click", rows: 0, positives: 0, unknownShare: 0 },
      { split: "test", scenario: "home", task: "like", rows: 0, positives: 0, unknownShare: 0 },
      { split: "test", scenario: "search", task: "click", rows: 1, positives: 1, unknownShare: 0.5 },
      { split: "test", scenario: "search", task: "like", rows: 1, positives: 0, unknownShare: 0.5 },
    ]);
    expect(manifest.fields).toEqual([
      { column: "user", kept: 2, unknownShare: { train: 0, validation: 0, test: 1 } },
      { column: "tab", kept: 2, unknownShare: { train: 0, validation: 0, test: 0 } },
    ]);
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });

  it("names size and SHA-256 of each file in the manifest", async () => {
    const file = await folder.write("views.csv", viewsCsv);

    const { files } = await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });

    expect(Object.keys(files)).toEqual(["train.arrow", "validation.arrow", "test.arrow", "transform.json"]);
    for (const [name, { bytes, sha256 }] of Object.entries(files)) {
      const content = await readFile(folder.path(`out/${name}`));
      expect(bytes).toBe(content.length);
      expect(sha256).toBe(createHash("sha256").update(content).digest("hex"));
    }
  });

  it("gives the same bytes for the same file and spec", async () => {
    const file = await folder.write("views.csv", viewsCsv);

    const first = await importDataset({ file, spec: viewsSpec, outFolder: folder.path("first") });
    const second = await importDataset({ file, spec: viewsSpec, outFolder: folder.path("second") });

    expect(second).toEqual(first);
  });

  it("writes Arrow files whose columns say what they are", async () => {
    const file = await folder.write("views.csv", viewsCsv);

    await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });

    const table = tableFromIPC(await readFile(folder.path("out/train.arrow")));
    expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "id:user Int32",
      "id:tab Int32",
      "scenario Int32",
      "label:click Uint8",
      "label:like Uint8",
    ]);
  });

  it("reports how far it is, stage after stage", async () => {
    const file = await folder.write("views.csv", viewsCsv);
    const seen: string[] = [];

    await importDataset({
      file,
      spec: viewsSpec,
      outFolder: folder.path("out"),
      onProgress: ({ stage, share }) => {
        if (share === 1) seen.push(stage);
      },
    });

    expect(seen).toEqual(["CHECK", "READ", "FIT", "ENCODE", "LEAKAGE", "WRITE"]);
  });
});

describe("the vocabulary", () => {
  const csv = (rows: readonly string[]): string => ["user,tab,click,part", ...rows].join("\n");
  const spec: DatasetSpec = {
    ...viewsSpec,
    fields: [{ column: "user", kind: "CATEGORICAL", minimumCount: 2 }],
    labels: [{ column: "click", task: "click" }],
  };

  async function keptUsers(rows: readonly string[]): Promise<unknown> {
    const file = await folder.write("views.csv", csv(rows));
    await importDataset({ file, spec, outFolder: folder.path("out") });
    return JSON.parse(await readFile(folder.path("out/transform.json"), "utf8")).fields[0].values;
  }

  it("holds the values of the training split only, most frequent first, ties in ascending order", async () => {
    const train = ["zoe", "bob", "bob", "zoe", "eve", "eve", "eve", "Al", "Al"].map((user) => `${user},0,1,train`);
    const rest = ["ida,0,1,valid", "ida,0,1,test", "ida,0,1,test"];

    expect(await keptUsers([...train, ...rest])).toEqual(["eve", "Al", "bob", "zoe"]);
  });

  it("leaves out values below the minimum count; they share the last id of the field", async () => {
    expect(await keptUsers(["a,0,1,train", "a,1,0,train", "b,0,0,train", "b,0,1,valid", "b,1,1,test"])).toEqual(["a"]);
    expect((await readSplit(folder.path("out/train.arrow"))).ids).toEqual(new Int32Array([0, 0, 1]));
  });

  it("counts a missing value as a value of its own", async () => {
    expect(await keptUsers([",0,1,train", '"",1,0,train', "b,0,0,train", "b,0,1,valid", "b,1,1,test"])).toEqual([""]);
  });

  it("compares categories as text: 1, 01 and 1.0 are three values", async () => {
    const train = ["1", "1", "1", "1", "01", "01", "01", "1.0", "1.0"].map((user) => `${user},0,1,train`);

    expect(await keptUsers([...train, "1,0,1,valid", "1,0,1,test"])).toEqual(["1", "01", "1.0"]);
  });
});

describe("reading a CSV file", () => {
  const trainIds = async (name: string, content: string | Uint8Array): Promise<Int32Array> => {
    const file = await folder.write(name, content);
    await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });
    return (await readSplit(folder.path("out/train.arrow"))).ids;
  };
  const expected = new Int32Array([0, 3, 1, 3, 0, 4]);

  it("takes gzip", async () => {
    expect(await trainIds("views.csv.gz", gzipSync(viewsCsv))).toEqual(expected);
  });

  it("takes CR LF", async () => {
    expect(await trainIds("views.csv", viewsCsv.replaceAll("\n", "\r\n"))).toEqual(expected);
  });

  it("takes a mixture of line ends", async () => {
    expect(await trainIds("views.csv", viewsCsv.replaceAll("train\n", "train\r\n"))).toEqual(expected);
  });

  it("takes a byte order mark, also before a quoted name", async () => {
    expect(await trainIds("views.csv", `\uFEFF"user"${viewsCsv.slice(4)}`)).toEqual(expected);
  });

  it("takes a last line without line end, and skips blank lines", async () => {
    expect(await trainIds("views.csv", viewsCsv.replace("bert", "\n\nbert").trimEnd())).toEqual(expected);
  });

  it("takes commas, line breaks and doubled quotes in quoted cells", async () => {
    const name = `"Anna ""A"", of\nBerlin"`;
    expect(await trainIds("views.csv", viewsCsv.replaceAll("anna", name))).toEqual(expected);
    const { fields } = JSON.parse(await readFile(folder.path("out/transform.json"), "utf8"));
    expect(fields[0].values).toEqual(['Anna "A", of\nBerlin', "bert"]);
  });

  it("takes any column name and any path", async () => {
    const odd = `a"b'); DROP TABLE source; --`;
    const file = await folder.write(`it's [1]*?.csv`, viewsCsv.replace("user", `"${odd.replaceAll('"', '""')}"`));
    await folder.write("it's 1xy.csv", "not,this,one\n");
    const spec: DatasetSpec = { ...viewsSpec, fields: [{ column: odd, kind: "CATEGORICAL", minimumCount: 1 }] };

    const { fields } = await importDataset({ file, spec, outFolder: folder.path("out") });

    expect(fields[0]).toEqual({ column: odd, kept: 2, unknownShare: { train: 0, validation: 0, test: 1 } });
  });
});

describe("the rows of a split", () => {
  const rows = 150_000; // more than DuckDB hands to one thread at once
  const partOf = (row: number): string => (row % 10 === 8 ? "valid" : row % 10 === 9 ? "test" : "train");

  it("stand in the order of the file, whatever the threads do", async () => {
    // A user of its own for every row, so that each can be recognised.
    const lines = Array.from(
      { length: rows },
      (_, row) => `u${row},${row % 2},${row % 3 === 0 ? 1 : 0},0,${partOf(row)}`,
    );
    const file = await folder.write("views.csv", `user,tab,click,like,part\n${lines.join("\n")}\n`);

    await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });

    const { fields } = JSON.parse(await readFile(folder.path("out/transform.json"), "utf8"));
    const train = await readSplit(folder.path("out/train.arrow"));
    expect(train.rows).toBe(rows * 0.8);
    const expected = lines.filter((_, row) => partOf(row) === "train").map((line) => line.slice(0, line.indexOf(",")));
    const users = Array.from({ length: train.rows }, (_, row) => fields[0].values[train.ids[row * 2]!]);
    expect(users).toEqual(expected);
  });

  it("are also in order when cells hold line breaks", async () => {
    const lines = Array.from(
      { length: rows },
      (_, row) => `"u,\n${row}",${row % 2},${row % 3 === 0 ? 1 : 0},0,${partOf(row)}`,
    );
    const file = await folder.write(
      "views.csv.gz",
      gzipSync(`user,tab,click,like,part\n${lines.join("\n")}\n`, { level: 1 }),
    );

    await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });

    const { labels, scenario } = await readSplit(folder.path("out/test.arrow"));
    const inTest = Array.from({ length: rows }, (_, row) => row).filter((row) => partOf(row) === "test");
    expect([...scenario]).toEqual(inTest.map((row) => row % 2));
    expect([...labels].filter((_, index) => index % 2 === 0)).toEqual(inTest.map((row) => (row % 3 === 0 ? 1 : 0)));
  });
});

describe("a random split", () => {
  const random = (seed: number): DatasetSpec => ({
    ...viewsSpec,
    split: { kind: "RANDOM", seed, validationShare: 0.1, testShare: 0.25 },
  });
  const lines = Array.from({ length: 1000 }, (_, row) => `u${row},${row % 2},1,0`);
  const csv = `user,tab,click,like\n${lines.join("\n")}\n`;

  async function trainUsers(name: string, seed: number): Promise<string[]> {
    const file = await folder.write("views.csv", csv);
    await importDataset({ file, spec: random(seed), outFolder: folder.path(name) });
    const { fields } = JSON.parse(await readFile(folder.path(`${name}/transform.json`), "utf8"));
    const { ids, rows } = await readSplit(folder.path(`${name}/train.arrow`));
    return Array.from({ length: rows }, (_, row) => fields[0].values[ids[row * 2]!]);
  }

  it("has exactly the shares that were asked for", async () => {
    const file = await folder.write("views.csv", csv);

    const { splits } = await importDataset({ file, spec: random(1), outFolder: folder.path("out") });

    expect(splits).toEqual({ train: 650, validation: 100, test: 250 });
  });

  it("depends on the seed and nothing else, and keeps the order of the file", async () => {
    const first = await trainUsers("first", 1);

    expect(await trainUsers("again", 1)).toEqual(first);
    expect(await trainUsers("other", 2)).not.toEqual(first);
    // The same with every version of DuckDB: it is made of MD5.
    expect(first.slice(0, 6)).toEqual(["u0", "u3", "u6", "u7", "u8", "u10"]);
    const rowNumbers = first.map((user) => Number(user.slice(1)));
    expect(rowNumbers).toEqual([...rowNumbers].sort((a, b) => a - b));
  });
});
