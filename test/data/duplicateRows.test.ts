import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/data/duckDb.ts";
import { duplicateRows } from "../../src/data/duplicateRows.ts";
import type { Source } from "../../src/data/source.ts";
import { createRandom } from "../../src/random.ts";
import { useDataFolder, viewsSpec } from "./dataFolder.ts";
import { category, partOf, warningsAbout } from "./leakageData.ts";
import type { Row } from "./leakageData.ts";

const folder = useDataFolder();
const fields = [category("user"), category("item")];

/** Users and items of which no pair comes twice, and a click by chance. */
function differentRows(count: number): Row[] {
  const random = createRandom(1, "clicks");
  return Array.from({ length: count }, (_, row) => {
    return {
      user: row % 100,
      item: Math.floor(row / 100),
      tab: row % 2,
      click: random.uniform() < 0.3 ? 1 : 0,
      part: partOf(row),
    };
  });
}

describe("rows of the test that are training rows", () => {
  it("are counted, with lines of both", async () => {
    const rows = differentRows(1000);
    const copied = rows
      .slice(0, 8)
      .concat(rows.slice(10, 17))
      .map((row) => ({ ...row, part: "test" }));

    const warnings = await warningsAbout(folder, [...rows, ...copied], fields);

    expect(warnings).toEqual([
      {
        kind: "DUPLICATE_ROWS",
        message:
          "15 of 115 test rows (13 %) are the same as a training row in all fields, the scenario and the labels; " +
          "inside training 0 % of the rows have such a twin.",
        column: null,
        task: null,
        split: "test",
        rows: 15,
        share: 15 / 115,
        evidence: {
          lines: [1002, 1003, 1004, 1005, 1006],
          sameAs: [2, 3, 4, 5, 6],
          trainingShare: 0,
          sameFieldsOtherLabels: 0,
          sampledRows: 1015,
        },
      },
    ]);
  });

  it("are not reported where there are only a few, or where another label makes them other rows", async () => {
    const rows = differentRows(1000);
    const few = rows.slice(0, 8).map((row) => ({ ...row, part: "test" }));
    const others = rows
      .slice(0, 8)
      .concat(rows.slice(10, 18))
      .map((row) => ({ ...row, click: 1 - Number(row["click"]), part: "test" }));

    expect(await warningsAbout(folder, [...rows, ...few, ...others], fields)).toEqual([]);
  });
});

describe("rows that chance repeats", () => {
  it("are not reported: of few categories a new row is often like an old one", async () => {
    const random = createRandom(2, "rows");
    const rows = Array.from({ length: 3000 }, (_, row) => ({
      user: Math.floor(random.uniform() * 40),
      item: Math.floor(random.uniform() * 20),
      tab: row % 2,
      click: random.uniform() < 0.3 ? 1 : 0,
      part: partOf(row),
    }));

    expect(await warningsAbout(folder, rows, fields)).toEqual([]);
  });
});

describe("a file whose rows were repeated before it was split at random", () => {
  const split = { kind: "RANDOM", seed: 1, validationShare: 0.1, testShare: 0.1 } as const;

  it("is reported by the labels of the copies, although training has as many twins", async () => {
    const rows = differentRows(2000);

    const warnings = await warningsAbout(folder, [...rows, ...rows], fields, { split });

    expect(warnings.map(({ kind, split }) => [kind, split])).toEqual([
      ["DUPLICATE_ROWS", "validation"],
      ["DUPLICATE_ROWS", "test"],
    ]);
    expect(warnings[1]!.message).toMatch(
      /^3\d\d of 400 test rows \([78]\d(?:\.\d)? %\) are the same .*; they are copies rather than chance: of (\d+) pairs .* \1 agree /,
    );
  });

  it("is not reported where the repeated rows have labels of their own", async () => {
    const random = createRandom(3, "clicks");
    const again = differentRows(2000).map((row) => ({ ...row, click: random.uniform() < 0.3 ? 1 : 0 }));

    expect(await warningsAbout(folder, [...differentRows(2000), ...again], fields, { split })).toEqual([]);
  });
});

describe("a large file", () => {
  it("is judged by a part of its rows, chosen so that twins stay together", async () => {
    const database = await openDatabase(folder.path("spill"));
    try {
      // Of 800,000 rows every twentieth is a test row, and every tenth of these is the row before it again.
      await database.run(
        `CREATE TABLE rows AS SELECT row, CASE WHEN row % 20 = 19 THEN 2 ELSE 0 END AS split, '0' AS c1, '1' AS c2,
           CAST(CASE WHEN row % 200 = 199 THEN row - 1 ELSE row END AS VARCHAR) AS c0 FROM range(800000) AS numbers(row)`,
      );
      const columns = ["user", "tab", "click", "like"];
      const source: Source = {
        file: "views.csv",
        rows: 800_000,
        column: (name) => `c${Math.min(2, columns.indexOf(name))}`,
        linesOf: async (rows) => rows.map((row) => row + 2),
      };

      const [warning, ...rest] = await duplicateRows({ database, source, spec: viewsSpec, fields: [] });

      expect(rest).toEqual([]);
      expect(warning).toMatchObject({ kind: "DUPLICATE_ROWS", split: "test", evidence: { trainingShare: 0 } });
      expect(warning!.share).toBeCloseTo(0.1, 2);
      expect(warning!.evidence["sampledRows"]).toBeGreaterThan(395_000);
      expect(warning!.evidence["sampledRows"]).toBeLessThan(405_000);
      const { lines, sameAs } = warning!.evidence as { lines: number[]; sameAs: number[] };
      expect(lines).toEqual(sameAs.map((line) => line + 1));
      expect(lines.every((line) => (line - 2) % 200 === 199)).toBe(true);
    } finally {
      await database.close();
    }
  });
});
