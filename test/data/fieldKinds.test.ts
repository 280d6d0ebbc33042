import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import type { FieldSpec } from "../../src/data/spec.ts";
import { createRandom } from "../../src/random.ts";
import { useDataFolder } from "./dataFolder.ts";
import { importFields, importFile } from "./importedFields.ts";

const folder = useDataFolder();

const fields: readonly FieldSpec[] = [
  {
    column: "history",
    kind: "SEQUENCE",
    minimumCount: 1,
    separator: "|",
    maximumLength: 4,
    pooling: "TARGET_ATTENTION",
    target: "item",
  },
  { column: "item", kind: "CATEGORICAL", minimumCount: 3 },
  { column: "age", kind: "NUMERIC", minimumCount: 2, bucketing: { kind: "QUANTILES", count: 5 } },
  { column: "price", kind: "NUMERIC", minimumCount: 1, bucketing: { kind: "VALUE", scale: "LOG" } },
  { column: "tags", kind: "MULTI_VALUED", minimumCount: 4, separator: ",", maximumLength: 3 },
  { column: "image", kind: "VECTOR", minimumCount: 1, separator: ";", width: 2 },
  { column: "rating", kind: "NUMERIC", minimumCount: 1, bucketing: { kind: "VALUE", scale: "STANDARD" } },
];
const columns = fields.map(({ column }) => column);

/** Cells of all kinds, some empty, in the order of the fields; `values` different ones in those that have any. */
function randomRows(count: number, seed: number, values: number): string[][] {
  const random = createRandom(seed, "cells");
  const below = (n: number): number => random.bits() % n;
  const some = (n: number, cell: () => string): string[] => Array.from({ length: below(n) }, cell);
  const maybe = (cell: () => string): string => (below(8) === 0 ? "" : cell());
  const number = (): string => [`${below(40)}`, (random.normal() * 1e3).toExponential(), `-${below(9)}.5`][below(3)]!;
  return Array.from({ length: count }, () => [
    some(8, () => maybe(() => `i${below(values + 5)}`)).join("|"),
    maybe(() => `i${below(values)}`),
    maybe(number),
    maybe(number),
    some(6, () => maybe(() => `t${below(values)}`)).join(","),
    maybe(() => (below(2) === 0 ? `${number()}; ${number()}` : `[${number()},${number()} ]`)),
    maybe(number),
  ]);
}

describe("fields of all kinds", () => {
  it("are encoded at import as at prediction, row by row and bit by bit", async () => {
    const [train, test] = [randomRows(1000, 1, 20), randomRows(1000, 2, 24)];
    const lines = (rows: readonly string[][]) => rows.map((cells) => cells.map((cell) => `"${cell}"`).join(","));
    const input = { header: columns.join(","), train: lines(train), test: lines(test), fields };
    const { manifest, transform, rows } = await importFields(folder, input);

    const encoded = transform.encode(
      test.map((cells) => ({
        scenario: "home",
        values: Object.fromEntries(cells.map((cell, place) => [columns[place], cell])),
      })),
    );
    const written = await rows("test");
    expect(encoded.ids).toEqual(written.ids);
    expect(encoded.numbers).toEqual(written.numbers);
    const { layouts, ids } = manifest.shape;
    expect(layouts!.map(({ kind }) => kind)).toEqual(["POOLED", "ID", "ID", "VALUE", "POOLED", "VECTOR", "VALUE"]);
    expect(written.ids.every((id) => id >= 0 && id < ids)).toBe(true);
    for (const column of ["history", "item", "tags"]) expect(encoded.unknown[column]).toBeGreaterThan(0);

    // Two imports of one file are the same bytes.
    const again = await importFields(folder, { ...input, out: "again" });
    expect(again.manifest.files).toEqual(manifest.files);
  });

  it("are read from the lists of a Parquet file as from their texts in a CSV file", async () => {
    const file = await parquet(`CASE row WHEN 2 THEN [] WHEN 3 THEN NULL ELSE ['i' || row, NULL, 'i0'] END AS history,
      'i' || row AS item, row AS age, row / 2 AS price, [CAST(row AS DOUBLE), 7.5] AS tags,
      CASE row WHEN 1 THEN NULL ELSE [CAST(row AS FLOAT), 0.1] END AS image, NULL::DOUBLE AS rating`);
    const { rows } = await importFile(folder, file, fields);
    const header = columns.map((column) => `${column}`).join(",");
    const train = ['i0||i0,i0,0,0,"0,7.5",0;0.1,', 'i1||i0,i1,1,0.5,"1,7.5",,', ',i2,2,1,"2,7.5",2;0.1,'];
    const [validation, test] = [[',i3,3,1.5,"3,7.5",3;0.1,'], ['i4|i0,i4,4,2,"4,7.5",4;0.1,']];
    const csv = await importFields(folder, { header, train, validation, test, fields, out: "csv" });
    for (const split of ["train", "validation", "test"] as const) {
      const [own, other] = [await rows(split), await csv.rows(split)];
      expect([own.ids, own.numbers]).toEqual([other.ids, other.numbers]);
    }
  });

  it("refuse lists whose items have the separator in them, and lists where there should be one value", async () => {
    const [, item] = fields;
    const tags: FieldSpec = { column: "tags", kind: "MULTI_VALUED", minimumCount: 1, separator: ",", maximumLength: 3 };
    const file = await parquet("[CASE row WHEN 1 THEN 'a,b' ELSE 'c' END] AS tags, ['i'] AS item");
    await expect(importFile(folder, file, [tags])).rejects.toThrow(
      'all.parquet, row 2, column "tags": expected items without the separator ",", got "a,b" ' +
        "(declare another separator, which no item has in it)",
    );
    await expect(importFile(folder, file, [item!])).rejects.toThrow(
      'all.parquet, column "item": expected a column of text, numbers, booleans or dates, got VARCHAR[]',
    );
  });

  it("that give a label away are warned of, also where they are numbers", async () => {
    const price: FieldSpec = {
      column: "price",
      kind: "NUMERIC",
      minimumCount: 1,
      bucketing: { kind: "VALUE", scale: "STANDARD" },
    };
    const lines = Array.from({ length: 400 }, (_, row) => {
      const click = (row * 7) % 3 === 0 ? 1 : 0;
      return `${click * 5 + (row % 10) / 10},0,${click},${["train", "train", "valid", "test"][row % 4]}`;
    });
    const file = await folder.write("leak.csv", `price,tab,click,part\n${lines.join("\n")}\n`);
    const { manifest } = await importFile(folder, file, [price]);
    expect(manifest.warnings).toMatchObject([{ kind: "LABEL_PREDICTED_BY_FIELD", column: "price", task: "click" }]);
  });
});

/** Five rows (0 to 4) of the given columns, three of them for training. */
async function parquet(sql: string): Promise<string> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT ${sql}, 0 AS tab, 1 AS click, CASE row WHEN 3 THEN 'valid' WHEN 4 THEN 'test' ELSE 'train' END AS part
       FROM range(5) AS numbers(row) ORDER BY row) TO '${folder.path("all.parquet")}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
  return folder.path("all.parquet");
}
