import { mkdir, readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { InvalidInputError } from "../../src/errors.ts";
import { useDataFolder, viewsCsv, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

/** Imports, expects to be refused, and that nothing is left behind. */
async function refusal(
  content: string | Uint8Array,
  { name = "views.csv", spec = viewsSpec }: { name?: string; spec?: DatasetSpec } = {},
): Promise<InvalidInputError> {
  const file = await folder.write(name, content);
  const outFolder = folder.path("out");
  const error: unknown = await importDataset({ file, spec, outFolder }).catch((thrown: unknown) => thrown);
  expect(await readdir(outFolder)).toEqual([]);
  if (!(error instanceof InvalidInputError)) throw error;
  return error;
}

const withCell = (from: string, to: string): string => viewsCsv.replace(from, to);

describe("a cell that cannot be used is named by column, line and value", () => {
  it("a label other than 0 and 1", async () => {
    const error = await refusal(withCell("bert,0,0,0", "bert,0,yes,0"));

    expect(error.message).toBe('views.csv, line 3, column "click": expected 0 or 1, got "yes"');
    expect(error.detail).toEqual({ field: "click", line: 3, expected: "0 or 1", received: '"yes"' });
  });

  it("an empty label", async () => {
    const error = await refusal(withCell("bert,0,0,0", "bert,0,0,"));
    expect(error.message).toBe('views.csv, line 3, column "like": expected 0 or 1, got an empty cell');
  });

  it("a label that is 1 but not written so", async () => {
    const error = await refusal(withCell("carl,1,1", "carl,1,1.0"));
    expect(error.message).toBe('views.csv, line 6, column "click": expected 0 or 1, got "1.0"');
  });

  it("an unknown scenario", async () => {
    const error = await refusal(withCell("carl,1", "carl,2"));
    expect(error.message).toBe('views.csv, line 6, column "tab": expected "0" or "1", got "2"');
  });

  it("an unknown split", async () => {
    const error = await refusal(withCell("0,0,valid", "0,0,Valid"));
    expect(error.message).toBe('views.csv, line 5, column "part": expected "train" or "valid" or "test", got "Valid"');
  });

  it("a time that is none, or not of the kind of the first", async () => {
    const spec: DatasetSpec = { ...viewsSpec, time: { column: "day" } };
    const days = (...cells: string[]): string =>
      viewsCsv
        .trimEnd()
        .split("\n")
        .map((line, index) => `${line},${index === 0 ? "day" : (cells[index - 1] ?? "2026-01-31")}`)
        .join("\n");
    const messages: string[] = [];
    for (const csv of [days("2026-01-30", "", ""), days("3", "4.5", "2026-01-31"), days("31.01.2026")]) {
      messages.push((await refusal(csv, { spec })).message);
    }
    expect(messages).toEqual([
      'views.csv, line 3, column "day": expected an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z), ' +
        "as in the first row, got an empty cell",
      'views.csv, line 4, column "day": expected a number, as in the first row, got "2026-01-31"',
      'views.csv, line 2, column "day": expected a number or an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z), ' +
        'got "31.01.2026"',
    ]);
  });

  it("what is not a number in a numeric column", async () => {
    const bucketing = { kind: "LOG_SQUARED" } as const;
    const spec: DatasetSpec = {
      ...viewsSpec,
      fields: [{ column: "age", kind: "NUMERIC", minimumCount: 1, bucketing }],
    };
    const ages = (age: string): string =>
      viewsCsv
        .replace("user", "age")
        .replace("carl", age)
        .replace(/anna|bert/g, "31");

    const error = await refusal(ages("12 years"), { spec });
    expect(error.message).toBe(
      'views.csv, line 6, column "age": expected a finite number or an empty cell, got "12 years"',
    );
    for (const other of ["NaN", "inf", "1e999", "0x10", "1_000", " 1"]) {
      expect((await refusal(ages(other), { spec })).detail).toMatchObject({ line: 6, received: JSON.stringify(other) });
    }
  });

  it("the first one of several", async () => {
    const error = await refusal(withCell("bert,0,0,0", "bert,7,8,9"));
    expect(error.message).toBe('views.csv, line 3, column "tab": expected "0" or "1", got "7"');
  });

  it("a long value is cut", async () => {
    const error = await refusal(withCell("carl,1,1", `carl,1,${"x".repeat(1000)}`));
    expect(error.message).toBe(`views.csv, line 6, column "click": expected 0 or 1, got "${"x".repeat(59)}…`);
  });

  it("the line is that of the file also after line breaks in quotes and blank lines", async () => {
    const csv = viewsCsv.replaceAll("anna", '"an\n\nna"').replace("bert", "\nbert").replace("carl,1,1", "carl,1,?");
    const line = csv.split("\n").findIndex((text) => text.startsWith("carl")) + 1;

    expect(line).toBe(13);
    expect((await refusal(csv)).message).toContain(`line 13, column "click"`);
    expect((await refusal(gzipSync(csv), { name: "views.csv.gz" })).message).toContain(`line 13, column "click"`);
  });
});

describe("a split without rows", () => {
  it("is refused, naming the split and its value", async () => {
    const error = await refusal(withCell("valid", "train"));
    expect(error.message).toBe(
      'views.csv, column "part": expected rows of the validation split ("valid"), got none among the 5 rows',
    );
  });

  it("is refused when the shares of a random split are too small for the file", async () => {
    const spec: DatasetSpec = {
      ...viewsSpec,
      split: { kind: "RANDOM", seed: 1, validationShare: 0.2, testShare: 0.05 },
    };
    const error = await refusal(viewsCsv, { spec });
    expect(error.message).toBe("views.csv: expected rows of the test split, got none among the 5 rows");
  });
});

describe("a column that is not there", () => {
  it("is named by its place in the spec, with the columns that there are", async () => {
    const error = await refusal(withCell("like", "likes"));
    expect(error.message).toBe(
      'spec.labels[1].column: expected a column of the file, got "like"' +
        ' (the file has "user", "tab", "click", "likes", "part")',
    );
  });
});

describe("a CSV file of the wrong form", () => {
  it("a row with too few cells", async () => {
    const error = await refusal(withCell("bert,0,0,0,train", "bert,0,0"));
    expect(error.message).toBe('views.csv, line 3, column "like": expected 5 cells, got 3');
  });

  it("a row with too many cells, also when the last one is empty", async () => {
    expect((await refusal(withCell("carl,", "carl,x,"))).message).toBe("views.csv, line 6: expected 5 cells, got 6");
    expect((await refusal(withCell("0,test", "0,test,"))).message).toBe("views.csv, line 6: expected 5 cells, got 6");
  });

  it("a quote that is never closed", async () => {
    const error = await refusal(withCell("bert", '"bert'));
    expect(error.message).toBe('views.csv, line 3, column "user": expected a closing quote, got the end of the file');
  });

  it("a quote inside a cell", async () => {
    const message =
      'views.csv, line 3, column "user": expected quotes around a whole cell only, got a quote inside a cell' +
      " (put the cell in quotes and double the quotes in it)";
    for (const cell of ['be"rt', '"be"rt', '"bert" ', ' "bert"']) {
      expect((await refusal(withCell("bert", cell))).message).toBe(message);
    }
  });

  it("bytes that are not UTF-8", async () => {
    const error = await refusal(Buffer.from(withCell("bert", "Zoë"), "latin1"));
    expect(error.message).toBe(
      'views.csv, line 3, column "user": expected UTF-8 text, got the byte 0xeb (save the file as UTF-8)',
    );
  });

  it("bytes that are not UTF-8, after a replacement character that is", async () => {
    const bytes = Buffer.concat([Buffer.from(viewsCsv.replace("bert", "\uFFFD")), Buffer.from([0xc3])]);
    expect((await refusal(bytes)).message).toBe(
      'views.csv, line 7, column "user": expected UTF-8 text, got an incomplete character at the end of the file',
    );
  });

  it("UTF-16", async () => {
    const error = await refusal(Buffer.from(`\uFEFF${viewsCsv}`, "utf16le"));
    expect(error.message).toBe("views.csv, line 1: expected UTF-8 text, got other bytes (save the file as UTF-8)");
  });

  it("a byte 0", async () => {
    const error = await refusal(withCell("bert", "be\0rt"));
    expect(error.message).toBe('views.csv, line 3, column "user": expected text, got a byte 0x00');
  });

  it("lines that end in CR alone", async () => {
    const error = await refusal(withCell("\nbert", "\rbert"));
    expect(error.message).toBe(
      'views.csv, line 2, column "part": expected lines that end in LF or CR LF, got a CR without LF',
    );
  });

  it("an empty file", async () => {
    expect((await refusal("")).message).toBe(
      "file: expected a file with a header and rows, got views.csv, which is empty",
    );
    expect((await refusal("\n")).message).toBe(
      "views.csv, line 1: expected a header with the names of the columns, got nothing",
    );
  });

  it("a header without rows", async () => {
    const error = await refusal(viewsCsv.slice(0, viewsCsv.indexOf("\n") + 1));
    expect(error.message).toBe("views.csv, line 2: expected rows after the header, got the end of the file");
  });

  it("a header that names a column twice", async () => {
    const error = await refusal(withCell("like", "user"));
    expect(error.message).toBe(
      'views.csv, line 1, column "user": expected column names that differ, got this one twice',
    );
  });

  it("a header with a misplaced quote", async () => {
    const error = await refusal(withCell("click", 'cl"ick"'));
    expect(error.message).toBe(
      "views.csv, line 1: expected names of columns, quoted as a whole or not at all, got a misplaced quote after 2 columns",
    );
  });

  it("a row that never ends", async () => {
    const error = await refusal(withCell("bert", `"${"x".repeat(3_000_000)}"`));
    expect(error.message).toBe(
      "views.csv, line 3: expected a record of at most 2000000 bytes, got a longer one (is a quote never closed?)",
    );
  });
});

describe("a .gz file", () => {
  it("that is not gzip", async () => {
    const error = await refusal(viewsCsv, { name: "views.csv.gz" });
    expect(error.message).toBe(
      "views.csv.gz: expected a gzip file, got bytes that are not (Error: incorrect header check)" +
        " (the name of a plain CSV file ends in .csv)",
    );
  });

  it("that is cut off", async () => {
    const long = viewsCsv + Array.from({ length: 50_000 }, (_, row) => `u${row},1,0,0,train\n`).join("");
    const whole = gzipSync(long);
    const error = await refusal(whole.subarray(0, whole.length - 100), { name: "views.csv.gz" });
    expect(error.message).toBe("views.csv.gz: expected a complete gzip file, got one that is cut off");
  });
});

describe("a file that is no data file", () => {
  it("text with the name of a Parquet file", async () => {
    const error = await refusal(viewsCsv, { name: "views.parquet" });
    expect(error.message).toMatch(
      /^views\.parquet: expected a Parquet file that can be read, got Invalid Input Error: /,
    );
    expect(error.message).not.toContain(folder.path(""));
  });

  it("another ending", async () => {
    const error = await refusal(viewsCsv, { name: "views.txt" });
    expect(error.message).toBe("file: expected a file whose name ends in .csv, .csv.gz or .parquet, got views.txt");
  });

  it("no file at all, or a folder", async () => {
    await mkdir(folder.path("folder.csv"));
    const outFolder = folder.path("out");
    await expect(importDataset({ file: folder.path("gone.csv"), spec: viewsSpec, outFolder })).rejects.toThrow(
      "file: expected a file, got gone.csv, which is not there",
    );
    await expect(importDataset({ file: folder.path("folder.csv"), spec: viewsSpec, outFolder })).rejects.toThrow(
      "file: expected a file, got folder.csv, which is not a file",
    );
  });
});

describe("a folder that is not empty", () => {
  it("is refused and left as it is", async () => {
    const file = await folder.write("views.csv", viewsCsv);

    await expect(importDataset({ file, spec: viewsSpec, outFolder: folder.path("") })).rejects.toThrow(
      "expected an empty folder",
    );
    expect(await readdir(folder.path(""))).toEqual(["views.csv"]);
  });
});
