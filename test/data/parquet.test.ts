import { mkdir, readFile, rename } from "node:fs/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import { inspectFile } from "../../src/data/inspect.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { transformFromJson } from "../../src/data/transform.ts";
import type { Transform } from "../../src/data/transform.ts";
import { useDataFolder, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

/** A Parquet file of five rows: row 0 to 4, parts train, train, train, valid, test, and the given columns. */
async function parquet(columns: string): Promise<string> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT row, ${columns}, CASE row WHEN 3 THEN 'valid' WHEN 4 THEN 'test' ELSE 'train' END AS part
       FROM range(5) AS numbers(row) ORDER BY row) TO '${folder.path("views.parquet")}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
  return folder.path("views.parquet");
}

const specOf = (...fields: string[]): DatasetSpec => ({
  ...viewsSpec,
  fields: fields.map((column) => ({ column, kind: "CATEGORICAL", minimumCount: 1 })),
  labels: [{ column: "click", task: "click" }],
});

async function imported(file: string, spec: DatasetSpec): Promise<Transform> {
  await importDataset({ file, spec, outFolder: folder.path("out") });
  return transformFromJson(JSON.parse(await readFile(folder.path("out/transform.json"), "utf8")));
}

describe("a Parquet file", () => {
  it("is imported like a CSV file", async () => {
    const file = await parquet("'u' || row % 2 AS user, row % 2 AS tab, row % 2 AS click");

    expect(await inspectFile(file)).toEqual({ columns: ["row", "user", "tab", "click", "part"] });
    await imported(file, specOf("user"));

    expect(await readSplit(folder.path("out/train.arrow"))).toEqual({
      rows: 3,
      ids: new Int32Array([0, 1, 0]),
      numbers: new Float32Array(0),
      scenario: new Int32Array([0, 1, 0]),
      labels: new Float32Array([0, 1, 0]),
    });
  });

  it("may hold times as dates, timestamps with and without a zone, or numbers", async () => {
    const moment = "TIMESTAMP '2026-01-01 12:00:00' + to_days(CAST(row AS INTEGER))";
    const kinds = [moment, `CAST(${moment} AS DATE)`, `timezone('UTC', ${moment})`, "CAST(row AS DOUBLE)"];
    const columns = kinds.map((sql, index) => `${sql} AS t${index}`).join(", ");
    const file = await parquet(`${columns}, 'u' AS user, row % 2 AS tab, row % 2 AS click`);
    for (const index of kinds.keys()) {
      const outFolder = folder.path(`out${index}`);
      const spec: DatasetSpec = { ...specOf("user"), time: { column: `t${index}` } };
      expect((await importDataset({ file, spec, outFolder })).warnings).toEqual([]);
    }
  });

  it("gives whole numbers the same text whatever their type, so that 1 and '1' are one category", async () => {
    const types = ["TINYINT", "UINTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(9, 0)", "DECIMAL(9, 2)"];
    const columns = types.map((type, index) => `CAST(row AS ${type}) AS n${index}`);
    const names = types.map((_, index) => `n${index}`);
    const file = await parquet(`${columns.join(", ")}, row % 2 AS tab, 1 AS click`);

    const fitted = await imported(file, specOf(...names));

    for (const field of fitted.toJSON().fields) expect(field.values).toEqual(["0", "1", "2"]);
    const encode = (value: unknown): Int32Array =>
      fitted.encode([{ scenario: "home", values: Object.fromEntries(names.map((name) => [name, value])) }]).ids;
    expect(encode(2)).toEqual(encode("2"));
    expect(encode(2)[0]).toBe(2);
  });

  it("gives other numbers the text that prediction gives them", async () => {
    const numbers = [0.1, -2.5, 1e-7, 123456.789, 0.0001];
    const cases = numbers.map((number, row) => `WHEN ${row % 3} THEN ${number}::DOUBLE`);
    for (const [start, end] of [
      [0, 3],
      [3, 5],
    ] as const) {
      const file = await parquet(
        `CASE row % 3 ${cases.slice(start, end).join(" ")} END AS x, row % 2 AS tab, 1 AS click`,
      );
      const outFolder = folder.path(`out${start}`);
      await importDataset({ file, spec: specOf("x"), outFolder });
      const fitted = transformFromJson(JSON.parse(await readFile(`${outFolder}/transform.json`, "utf8")));
      const rows = numbers.slice(start, end).map((x) => ({ scenario: "home", values: { x } }));
      expect(fitted.encode(rows).unknown).toEqual({ x: 0 });
    }
  });

  it("takes NULL for a missing value, dates as text, and truth values as true, false and labels", async () => {
    const columns = `CASE row WHEN 0 THEN NULL ELSE 'u' END AS user, DATE '2024-05-01' AS day, row > 1 AS new,
      row % 2 AS tab, row > 0 AS click`;
    const fitted = await imported(await parquet(columns), specOf("user", "day", "new"));

    expect(fitted.toJSON().fields.map((field) => field.values)).toEqual([["u", ""], ["2024-05-01"], ["false", "true"]]);
    expect((await readSplit(folder.path("out/train.arrow"))).labels).toEqual(new Float32Array([0, 1, 1]));
  });

  it("takes numbers as they are in numeric fields", async () => {
    const file = await parquet("row * 1.5::DOUBLE AS age, row % 2 AS tab, 1 AS click");
    const bucketing = { kind: "BOUNDARIES", boundaries: [1, 2] } as const;
    const fitted = await imported(file, {
      ...specOf(),
      fields: [{ column: "age", kind: "NUMERIC", minimumCount: 1, bucketing }],
    });

    expect(fitted.toJSON().fields[0]!.values).toEqual(["0", "1", "2"]);
  });

  it("gets no column from the name of its folder", async () => {
    const file = await parquet("row % 2 AS tab, 1 AS click");
    await mkdir(folder.path("year=2024"));
    await rename(file, folder.path("year=2024/views.parquet"));

    const { columns } = await inspectFile(folder.path("year=2024/views.parquet"));

    expect(columns).toEqual(["row", "tab", "click", "part"]);
  });
});

describe("a Parquet file that cannot be used", () => {
  it("is refused with the column, the row and the value", async () => {
    const file = await parquet("row % 2 AS tab, row AS click");
    await expect(imported(file, specOf("row"))).rejects.toThrow(
      'views.parquet, row 3, column "click": expected 0 or 1, got "2"',
    );
  });

  it("because a column holds lists", async () => {
    const file = await parquet("[row, row] AS tags, row % 2 AS tab, 1 AS click");
    await expect(imported(file, specOf("tags"))).rejects.toThrow(
      'views.parquet, column "tags": expected a column of text, numbers, booleans or dates, got BIGINT[]',
    );
  });

  it("because it is cut off", async () => {
    const file = await parquet("row % 2 AS tab, 1 AS click");
    const cut = await folder.write("cut.parquet", (await readFile(file)).subarray(0, 100));
    await expect(inspectFile(cut)).rejects.toThrow("cut.parquet: expected a Parquet file that can be read, got ");
  });
});
