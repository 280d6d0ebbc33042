import { describe, expect, it } from "vitest";
import { useDataFolder } from "./dataFolder.ts";
import { category, partOf, warningsAbout } from "./leakageData.ts";
import type { Row } from "./leakageData.ts";

const folder = useDataFolder();
const fields = [category("user")];
const time = { column: "day" };

/** One row a day from 1 January 2026 on. */
const rowsOf = (part: (row: number) => string): Row[] =>
  Array.from({ length: 100 }, (_, row) => ({
    user: row % 7,
    tab: 0,
    click: row % 3 === 0 ? 1 : 0,
    part: part(row),
    day: new Date(Date.UTC(2026, 0, 1 + row)).toISOString().slice(0, 10),
  }));

const inOrder = (row: number): string => (row < 80 ? "train" : row < 90 ? "valid" : "test");

describe("with a time column", () => {
  it("training rows later than the first of validation and test are counted, and so are those of validation", async () => {
    expect(await warningsAbout(folder, rowsOf(partOf), fields, { time })).toEqual([
      {
        kind: "FUTURE_IN_TRAINING",
        message:
          '72 of 80 training rows (90 %) have a later "day" than the first validation or test row (2026-01-09), ' +
          "the last of them 2026-04-08.",
        column: "day",
        task: null,
        split: "train",
        rows: 72,
        share: 0.9,
        evidence: {
          later: "2026-01-09",
          train: { from: "2026-01-01", until: "2026-04-08" },
          validation: { from: "2026-01-09", until: "2026-04-09" },
          test: { from: "2026-01-10", until: "2026-04-10" },
        },
      },
      expect.objectContaining({ split: "validation", rows: 9, share: 0.9 }),
    ]);
  });

  it("a split in the order of time is not reported", async () => {
    expect(await warningsAbout(folder, rowsOf(inOrder), fields, { time })).toEqual([]);
  });

  it("rows of the same time are neither past nor future", async () => {
    const rows = rowsOf(inOrder).map((row) => ({ ...row, day: "2026-01-01" }));
    expect(await warningsAbout(folder, rows, fields, { time })).toEqual([]);
  });

  it("a random split is called what it is", async () => {
    const split = { kind: "RANDOM", seed: 1, validationShare: 0.1, testShare: 0.1 } as const;
    const [warning] = await warningsAbout(folder, rowsOf(inOrder), fields, { time, split });
    expect(warning!.message).toMatch(/: the split is random, so the model is tested on its past\.$/);
  });

  it("numbers are compared as numbers", async () => {
    const rows = rowsOf(inOrder).map((row, index) => ({ ...row, day: index + 5 })); // "10" is below "9" as text
    expect(await warningsAbout(folder, rows, fields, { time })).toEqual([]);
  });

  it("and offsets count", async () => {
    const rows = rowsOf(inOrder).map((row, index) => ({
      ...row,
      day: `2026-01-01T12:00:00${index < 80 ? "+02:00" : index < 90 ? "Z" : "-03"}`,
    }));
    expect(await warningsAbout(folder, rows, fields, { time })).toEqual([]);
  });
});

describe("without a time column", () => {
  it("nothing is said", async () => {
    expect(await warningsAbout(folder, rowsOf(partOf), fields)).toEqual([]);
  });
});
