import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { openDatabase, sqlText } from "../../src/data/duckDb.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { isTime, parseTime, timeSql } from "../../src/data/time.ts";
import { useDataFolder, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

describe("a time", () => {
  it("is a number, or an ISO date or time in seconds since 1970", () => {
    expect(parseTime("20260131")).toEqual({ kind: "NUMBER", value: 20_260_131 });
    expect(parseTime("2026-01-31")).toEqual({ kind: "ISO", value: Date.UTC(2026, 0, 31) / 1000 });
    expect(parseTime("yesterday")).toBeUndefined();
  });

  it("means the same in the database, or is a time in neither", async () => {
    const dates = [
      "2026-01-31",
      "2026-01-31T18:00",
      "2026-01-31 18:00:05",
      "2026-01-31T18:00:05.25Z",
      "1969-12-31T23:00:00Z",
    ];
    const offsets = [
      "2026-01-31T18:00:00+02:00",
      "2026-01-31 18:00:00-05",
      "2024-02-29",
      "2026-01-31T00:00:00.000001Z",
    ];
    const wrong = [
      "",
      "2026-1-31",
      "2026-02-30",
      "2026-13-01",
      "2026-01-31T25:00",
      "18:00",
      "2026-01-31T18:00Z",
      "2026-01-31T24:00",
      "2026-01-31T23:59:60",
      "31.01.2026",
      " 2026-01-31",
      "inf",
    ];
    const numbers = ["0", "-1.5", "1e3", "1700000000", "1e999"];
    const database = await openDatabase(folder.path("spill"));
    try {
      for (const text of [...dates, ...offsets, ...wrong, ...numbers]) {
        const parsed = parseTime(text);
        for (const kind of ["NUMBER", "ISO"] as const) {
          const literal = sqlText(text);
          const [found] = await database.rows(
            `SELECT ${isTime(kind, literal)} AS good, ${timeSql(kind, literal)} AS value`,
          );
          expect([text, kind, found!["good"]]).toEqual([text, kind, parsed?.kind === kind]);
          if (parsed?.kind === kind) expect(Number(found!["value"])).toBeCloseTo(parsed.value, 3);
        }
      }
    } finally {
      await database.close();
    }
  });
});

describe("a split by time", () => {
  const csv = ["user,tab,click,like,day", "a,0,1,0,2026-01-03", "b,0,0,0,2026-01-01", "c,1,1,1,2026-01-02T08:00:00Z"];
  const split = { kind: "TIME", column: "day", validationFrom: "2026-01-02", testFrom: "2026-01-03" } as const;
  const spec: DatasetSpec = { ...viewsSpec, split };

  it("trains on what was before, and tests on what came last", async () => {
    const rows = [...csv, "d,0,1,0,2026-01-01T23:59:59Z", "e,1,1,0,2026-02-01"];
    const file = await folder.write("views.csv", rows.join("\n"));

    const { splits, warnings } = await importDataset({
      file,
      spec: { ...spec, time: { column: "day" } },
      outFolder: folder.path("out"),
    });

    expect(splits).toEqual({ train: 2, validation: 1, test: 2 });
    expect((await readSplit(folder.path("out/test.arrow"))).scenario).toEqual(new Int32Array([0, 1]));
    expect(warnings).toEqual([]);
  });

  it("refuses what is no time, by line", async () => {
    const file = await folder.write("views.csv", [...csv, "d,0,1,0,17"].join("\n"));
    await expect(importDataset({ file, spec, outFolder: folder.path("out") })).rejects.toThrow(
      'views.csv, line 5, column "day": expected an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z), ' +
        'as the bounds of the split are, got "17"',
    );
  });

  it("refuses a file without rows of one of its parts", async () => {
    const file = await folder.write("views.csv", csv.slice(0, 3).join("\n"));
    await expect(importDataset({ file, spec, outFolder: folder.path("out") })).rejects.toThrow(
      'views.csv, column "day": expected rows of the validation split, got none among the 2 rows',
    );
  });
});
