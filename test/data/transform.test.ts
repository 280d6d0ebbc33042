import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { Bucketing, DatasetSpec, FieldSpec } from "../../src/data/spec.ts";
import { transformFromJson } from "../../src/data/transform.ts";
import type { RawRow, Transform, TransformJson } from "../../src/data/transform.ts";
import { useDataFolder, viewsCsv, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

// user: anna 0, 7 1, true 2, missing 3, others 4; age: [10, 20) 5, below 10 6, missing 7, others 8; tab: "0" 9, "1" 10, others 11
const json: TransformJson = {
  version: 1,
  fields: [
    { column: "user", kind: "CATEGORICAL", values: ["anna", "7", "true", ""] },
    { column: "age", kind: "NUMERIC", bucketing: { kind: "BOUNDARIES", boundaries: [10, 20] }, values: ["1", "0", ""] },
    { column: "tab", kind: "CATEGORICAL", values: ["0", "1"] },
  ],
  scenario: viewsSpec.scenario,
  tasks: ["click"],
};
const transform = transformFromJson(JSON.parse(JSON.stringify(json)));
const idsOf = (values: Record<string, unknown>, scenario = "home"): number[] => [
  ...transform.encode([{ scenario, values }]).ids,
];

describe("encoding rows", () => {
  it("gives the ids and the scenario of each row, and counts the unknown values", () => {
    const rows = [
      { scenario: "home", values: { user: "anna", age: 12, tab: "0" } },
      { scenario: "search", values: { user: "zoe", age: 70, tab: "1" } },
    ];
    expect(transform.encode(rows)).toEqual({
      rows: 2,
      ids: new Int32Array([0, 5, 9, 4, 8, 10]),
      numbers: new Float32Array(0),
      scenario: new Int32Array([0, 1]),
      unknown: { user: 1, age: 1, tab: 0 },
    });
  });

  it("knows the shape of the dataset", () => {
    expect(transform.shape).toEqual({
      fields: 3,
      ids: 12,
      columns: ["user", "age", "tab"],
      unknownIds: [4, 8, 11],
      scenarios: ["home", "search"],
      tasks: ["click"],
    });
  });

  it("takes a number or a truth value for the text that it is written as", () => {
    expect(idsOf({ user: 7, age: 12 })).toEqual(idsOf({ user: "7", age: 12 }));
    expect(idsOf({ user: true, age: 12 })).toEqual(idsOf({ user: "true", age: 12 }));
    expect(idsOf({ user: "7.0", age: 12 })[0]).toBe(4); // as text it is another value
  });

  it("takes a number as text in a numeric field, however it is written", () => {
    expect([12, "12", "12.0", "1.2e1", "+12"].map((age) => idsOf({ user: "anna", age })[1])).toEqual([5, 5, 5, 5, 5]);
  });

  it("takes null and the empty text for a missing value", () => {
    expect(idsOf({ user: null, age: null })).toEqual([3, 7, 9]);
    expect(idsOf({ user: "", age: "" })).toEqual([3, 7, 9]);
  });

  it("fills a field that is the scenario column from the scenario", () => {
    expect(idsOf({ user: "anna", age: 12 }, "search")).toEqual(idsOf({ user: "anna", age: 12, tab: 1 }, "search"));
  });

  it("ignores columns that are no fields", () => {
    expect(idsOf({ user: "anna", age: 12, click: 1 })).toEqual([0, 5, 9]);
  });

  it("survives being stored", () => {
    expect(JSON.parse(JSON.stringify(transform))).toEqual(json);
  });
});

describe("a row that cannot be encoded is named by its path", () => {
  const refusal = (values: Record<string, unknown>, scenario = "home"): (() => unknown) => {
    const good: RawRow = { scenario: "home", values: { user: "anna", age: 12 } };
    return () => transform.encode([good, { scenario, values }], "input.rows");
  };

  it("an unknown scenario", () => {
    expect(refusal({}, "feed")).toThrow('input.rows[1].scenario: expected one of "home", "search", got "feed"');
  });

  it("a field that is not there, even one that every object inherits", () => {
    expect(refusal({ user: "anna" })).toThrow(
      expect.objectContaining({
        message: "input.rows[1].values.age: expected a value, got nothing (null stands for a missing value)",
        detail: {
          field: "input.rows[1].values.age",
          expected: "a value",
          received: "nothing",
          hint: "null stands for a missing value",
        },
      }),
    );
    const inherited = transformFromJson({ ...json, fields: [{ column: "toString", kind: "CATEGORICAL", values: [] }] });
    expect(() => inherited.encode([{ scenario: "home", values: {} }])).toThrow(
      "rows[0].values.toString: expected a value",
    );
  });

  it("a value of the wrong type", () => {
    expect(refusal({ user: ["anna"], age: 12 })).toThrow(
      'input.rows[1].values.user: expected a text, a number, true, false or null, got ["anna"]',
    );
    expect(refusal({ user: "anna", age: "old" })).toThrow(
      'input.rows[1].values.age: expected a finite number, got "old"',
    );
    expect(refusal({ user: "anna", age: true })).toThrow(
      "input.rows[1].values.age: expected a finite number, got true",
    );
  });

  it("an integer that JSON has already rounded", () => {
    expect(refusal({ user: 2 ** 53, age: 12 })).toThrow(
      "input.rows[1].values.user: expected an integer below 2^53, got 9007199254740992 (send it as text)",
    );
  });

  it("a scenario column that says another scenario", () => {
    expect(refusal({ user: "anna", age: 12, tab: "1" })).toThrow(
      'input.rows[1].values.tab: expected "0" as declared for scenario "home", got "1" (this field may be left out)',
    );
  });

  it("a stored transform of another version", () => {
    expect(() => transformFromJson({ ...json, version: 2 })).toThrow("transformFromJson: expected version 1, got 2");
    expect(() => transformFromJson(null)).toThrow("transformFromJson: expected version 1, got nothing");
  });
});

describe("the import and the transform agree", () => {
  const numeric = (column: string, bucketing: Bucketing): FieldSpec => ({
    column,
    kind: "NUMERIC",
    minimumCount: 2,
    bucketing,
  });

  /** Numbers of many sizes and spellings, gaps, and the places where the buckets begin. */
  function numberText(row: number): string {
    const spellings = [
      "",
      String(row % 40),
      (row * 0.37 - 300).toFixed(2),
      (2 ** (row % 60) / 3).toExponential(),
      String(Math.exp(Math.sqrt(row % 30))),
      `+${row}.`,
      `-${row % 5}.5`,
    ];
    return spellings[row % spellings.length]!;
  }

  async function imported(header: string, lines: readonly string[], fields: readonly FieldSpec[]): Promise<Transform> {
    const file = await folder.write("views.csv", `${header}\n${lines.join("\n")}\n`);
    const labels = [{ column: "click", task: "click" }];
    const spec: DatasetSpec = { ...viewsSpec, fields, labels };
    await importDataset({ file, spec, outFolder: folder.path("out") });
    return transformFromJson(JSON.parse(await readFile(folder.path("out/transform.json"), "utf8")));
  }

  it("on every raw row of the test split, bit by bit", async () => {
    const header = "user,a,b,c,tab,click,part";
    const parts = ["train", "train", "train", "valid", "test"];
    const lines = Array.from({ length: 5000 }, (_, row) => {
      const user = row % 11 === 0 ? "" : `u${(row * row) % 701}`;
      const [a, b, c] = [numberText(row), numberText(row + 3), numberText(row + 5)];
      return [user, a, b, c, row % 2, 1, parts[(row >> 3) % 5]].join(",");
    });
    const fields: FieldSpec[] = [
      { column: "user", kind: "CATEGORICAL", minimumCount: 10 },
      numeric("a", { kind: "LOG_SQUARED" }),
      numeric("b", { kind: "QUANTILES", count: 20 }),
      numeric("c", { kind: "BOUNDARIES", boundaries: [-100, 0, 0.5, 7, 1e6] }),
      { column: "tab", kind: "CATEGORICAL", minimumCount: 1 },
    ];

    const fitted = await imported(header, lines, fields);

    const rows = lines
      .map((line) => line.split(","))
      .filter((cells) => cells[6] === "test")
      .map(([user, a, b, c, tab]) => ({ scenario: tab === "0" ? "home" : "search", values: { user, a, b, c } }));
    const test = await readSplit(folder.path("out/test.arrow"));
    const encoded = fitted.encode(rows);
    expect(encoded.ids).toEqual(test.ids);
    expect(encoded.scenario).toEqual(test.scenario);
    expect(encoded.unknown["user"]).toBeGreaterThan(0);
    expect(encoded.unknown["a"]).toBeGreaterThan(0);
  });

  it("on more fields than are encoded in one turn", async () => {
    const columns = Array.from({ length: 40 }, (_, index) => `f${index}`);
    const lines = Array.from({ length: 3000 }, (_, row) => {
      const cells = columns.map((_, index) => (row * (index + 3)) % 97);
      return [...cells, row % 2, 1, row % 5 === 3 ? "valid" : row % 5 === 4 ? "test" : "train"].join(",");
    });
    const fields = columns.map((column): FieldSpec => ({ column, kind: "CATEGORICAL", minimumCount: 15 }));

    const fitted = await imported(`${columns.join(",")},tab,click,part`, lines, fields);

    const rows = lines
      .map((line) => line.split(","))
      .filter((cells) => cells.at(-1) === "valid")
      .map((cells) => ({
        scenario: cells.at(-3) === "0" ? "home" : "search",
        values: Object.fromEntries(columns.map((column, index) => [column, cells[index]])),
      }));
    const encoded = fitted.encode(rows);
    const validation = await readSplit(folder.path("out/validation.arrow"));
    expect(encoded.ids).toEqual(validation.ids);
    expect(encoded.scenario).toEqual(validation.scenario);
  });

  it("on quantiles, which hold equally many training rows and know nothing of the others", async () => {
    const train = Array.from({ length: 100 }, (_, row) => `${row},0,1,train`);
    const rest = Array.from({ length: 100 }, (_, row) => `${row + 5000},0,1,${row < 50 ? "valid" : "test"}`);

    const fitted = await imported(
      "age,tab,click,part",
      [...train, ...rest],
      [numeric("age", { kind: "QUANTILES", count: 4 })],
    );

    const [age] = fitted.toJSON().fields;
    expect(age).toEqual({
      column: "age",
      kind: "NUMERIC",
      bucketing: { kind: "BOUNDARIES", boundaries: [25, 50, 75] },
      values: ["0", "1", "2", "3"],
    });
  });

  it("on quantiles of few values: boundaries that would be the same are one", async () => {
    const train = [0, 0, 0, 0, 0, 0, 1, 1, 5, 9].map((age) => `${age},0,1,train`);

    const fitted = await imported(
      "age,tab,click,part",
      [...train, "0,0,1,valid", "0,0,1,test"],
      [numeric("age", { kind: "QUANTILES", count: 5 })],
    );

    expect(fitted.toJSON().fields[0]).toMatchObject({ bucketing: { kind: "BOUNDARIES", boundaries: [1, 5] } });
  });

  it("on the order of equally frequent buckets: missing first, then ascending as numbers", async () => {
    const train = ["12", "12", "100", "100", "", "", "-3", "-3"].map((age) => `${age},0,1,train`);
    const fields = [numeric("age", { kind: "BOUNDARIES", boundaries: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99] })];

    const fitted = await imported("age,tab,click,part", [...train, "0,0,1,valid", "0,0,1,test"], fields);

    expect(fitted.toJSON().fields[0]!.values).toEqual(["", "0", "11", "12"]);
  });

  it("when the training split has no number at all", async () => {
    const lines = [",0,1,train", ",0,1,train", "3,0,1,valid", "4,0,1,test"];
    const fitted = await imported("age,tab,click,part", lines, [numeric("age", { kind: "QUANTILES", count: 5 })]);

    expect(fitted.toJSON().fields[0]).toMatchObject({ bucketing: { boundaries: [] }, values: [""] });
    expect(fitted.encode([{ scenario: "home", values: { age: 4 } }]).ids).toEqual(new Int32Array([1]));
  });

  it("on the example of all tests", async () => {
    const file = await folder.write("views.csv", viewsCsv);
    await importDataset({ file, spec: viewsSpec, outFolder: folder.path("out") });
    const fitted = transformFromJson(JSON.parse(await readFile(folder.path("out/transform.json"), "utf8")));
    const { ids } = await readSplit(folder.path("out/test.arrow"));
    expect(fitted.encode([{ scenario: "search", values: { user: "carl" } }]).ids).toEqual(ids);
  });
});
