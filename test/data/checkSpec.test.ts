import { describe, expect, it } from "vitest";
import { checkSpec } from "../../src/data/checkSpec.ts";
import type { Bucketing, DatasetSpec, FieldSpec, SplitSpec } from "../../src/data/spec.ts";
import { InvalidInputError } from "../../src/errors.ts";
import { viewsSpec } from "./dataFolder.ts";

const columns = ["user", "tab", "age", "click", "like", "part"];

function refusal(part: Partial<DatasetSpec>): string {
  try {
    checkSpec({ ...viewsSpec, ...part }, columns);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message;
    throw error;
  }
  return "accepted";
}

const user: FieldSpec = { column: "user", kind: "CATEGORICAL", minimumCount: 1 };
const age = (bucketing: Bucketing): FieldSpec => ({ column: "age", kind: "NUMERIC", minimumCount: 1, bucketing });

describe("checking a spec", () => {
  it("accepts one that fits the columns", () => {
    expect(refusal({})).toBe("accepted");
    expect(refusal({ fields: [user, age({ kind: "BOUNDARIES", boundaries: [-1, 0, 2.5] })] })).toBe("accepted");
    const split: SplitSpec = { kind: "RANDOM", seed: 0, validationShare: 0.1, testShare: 0.1 };
    expect(refusal({ split })).toBe("accepted");
  });

  it("tells where the fault is, what was expected and what came", () => {
    const fields: FieldSpec[] = [user, { ...user, column: "usr" }];
    expect(() => checkSpec({ ...viewsSpec, fields }, columns, "dataset")).toThrow(
      expect.objectContaining({
        detail: {
          field: "dataset.fields[1].column",
          expected: "a column of the file",
          received: '"usr"',
          hint: 'the file has "user", "tab", "age", "click", "like", "part"',
        },
      }),
    );
  });

  it("shows at most twenty columns", () => {
    const many = Array.from({ length: 100 }, (_, index) => `c${index}`);
    expect(() => checkSpec(viewsSpec, many)).toThrow(/the file has "c0", .*"c19", and 80 more\)$/);
  });
});

describe("fields", () => {
  it("at least one", () => {
    expect(refusal({ fields: [] })).toBe("input.fields: expected at least one field, got none");
  });

  it("each of another column", () => {
    expect(refusal({ fields: [user, user] })).toBe(
      'input.fields[1].column: expected columns that differ, got "user" twice',
    );
  });

  it("with a minimum count from 1", () => {
    for (const minimumCount of [0, -1, 1.5, Number.NaN]) {
      expect(refusal({ fields: [{ ...user, minimumCount }] })).toContain(
        "input.fields[0].minimumCount: expected a whole number from 1, got ",
      );
    }
  });

  it("with at least two quantiles", () => {
    expect(refusal({ fields: [age({ kind: "QUANTILES", count: 1 })] })).toBe(
      "input.fields[0].bucketing.count: expected a whole number from 2 to 65536, got 1",
    );
  });

  it("with boundaries that are finite and ascend", () => {
    const boundaries = (list: number[]): string => refusal({ fields: [age({ kind: "BOUNDARIES", boundaries: list })] });
    expect(boundaries([])).toBe("input.fields[0].bucketing.boundaries: expected at least one number, got none");
    expect(boundaries([1, 3, 3])).toBe("input.fields[0].bucketing.boundaries[2]: expected a number above 3, got 3");
    expect(boundaries([1, Number.POSITIVE_INFINITY])).toBe(
      "input.fields[0].bucketing.boundaries[1]: expected a finite number, got Infinity",
    );
  });
});

describe("the scenario", () => {
  const scenario = (...values: [value: string, scenario: string][]): string =>
    refusal({ scenario: { column: "tab", values: values.map(([value, name]) => ({ value, scenario: name })) } });

  it("has a column of the file and at least one value", () => {
    expect(refusal({ scenario: { column: "page", values: [] } })).toContain(
      'input.scenario.column: expected a column of the file, got "page"',
    );
    expect(scenario()).toBe("input.scenario.values: expected at least one value, got none");
  });

  it("has no value and no name twice, and none empty", () => {
    expect(scenario(["0", "a"], ["0", "b"])).toBe(
      'input.scenario.values[1].value: expected values that differ, got "0" twice',
    );
    expect(scenario(["0", "a"], ["1", "a"])).toBe(
      'input.scenario.values[1].scenario: expected scenarios that differ, got "a" twice',
    );
    expect(scenario(["", "a"])).toBe("input.scenario.values[0].value: expected a text, got an empty one");
  });
});

describe("labels", () => {
  it("at least one", () => {
    expect(refusal({ labels: [] })).toBe("input.labels: expected at least one label, got none");
  });

  it("each with a column and a task of its own", () => {
    const click = { column: "click", task: "click" };
    expect(refusal({ labels: [click, { ...click, task: "like" }] })).toBe(
      'input.labels[1].column: expected columns that differ, got "click" twice',
    );
    expect(refusal({ labels: [click, { ...click, column: "like" }] })).toBe(
      'input.labels[1].task: expected tasks that differ, got "click" twice',
    );
  });

  it("never a field, which would give the answer away", () => {
    expect(refusal({ labels: [{ column: "user", task: "click" }] })).toBe(
      'input.labels[0].column: expected a column that is neither a field nor the scenario, got "user"',
    );
  });
});

describe("the split", () => {
  const byColumn = {
    ...viewsSpec.split,
    kind: "COLUMN",
    column: "part",
    train: "a",
    validation: "b",
    test: "c",
  } as const;
  const random = { kind: "RANDOM", seed: 1, validationShare: 0.1, testShare: 0.1 } as const;

  it("by a column of the file that is nothing else, with three values that differ", () => {
    expect(refusal({ split: { ...byColumn, column: "fold" } })).toContain(
      "input.split.column: expected a column of the file",
    );
    expect(refusal({ split: { ...byColumn, column: "click" } })).toBe(
      'input.split.column: expected a column that is not used otherwise, got "click"',
    );
    expect(refusal({ split: { ...byColumn, test: "b" } })).toBe(
      'input.split.test: expected values that differ, got "b" twice',
    );
  });

  it("by shares between 0 and 1 that leave something for training", () => {
    expect(refusal({ split: { ...random, testShare: 0 } })).toBe(
      "input.split.testShare: expected a share between 0 and 1, got 0",
    );
    expect(refusal({ split: { ...random, validationShare: 1.5 } })).toBe(
      "input.split.validationShare: expected a share between 0 and 1, got 1.5",
    );
    expect(refusal({ split: { ...random, validationShare: 0.5, testShare: 0.5 } })).toBe(
      "input.split.testShare: expected shares that together are below 1, got 1",
    );
    expect(refusal({ split: { ...random, seed: 0.5 } })).toBe("input.split.seed: expected a whole number, got 0.5");
  });
});

describe("a split by time", () => {
  const byTime = { kind: "TIME", column: "user", validationFrom: "2026-01-02", testFrom: "2026-01-03" } as const;

  it("has a column of the file that is no label", () => {
    expect(refusal({ split: { ...byTime, column: "day" } })).toContain(
      'input.split.column: expected a column of the file, got "day"',
    );
    expect(refusal({ split: { ...byTime, column: "click" } })).toBe(
      'input.split.column: expected a column that is no label, got "click"',
    );
  });

  it("has two times of one kind, the test after the validation", () => {
    expect(refusal({ split: { ...byTime, validationFrom: "2026-02-30" } })).toBe(
      "input.split.validationFrom: expected a number or an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z), " +
        'got "2026-02-30"',
    );
    expect(refusal({ split: { ...byTime, testFrom: "3" } })).toBe(
      "input.split.testFrom: expected an ISO date or time (2026-01-31, 2026-01-31T18:00:00Z), as `validationFrom` is, " +
        'got "3"',
    );
    expect(refusal({ split: { ...byTime, testFrom: "2026-01-02T00:00:00Z" } })).toBe(
      'input.split.testFrom: expected a time after "2026-01-02", got "2026-01-02T00:00:00Z"',
    );
  });
});

describe("the columns of group and time", () => {
  it("are columns of the file", () => {
    expect(refusal({ group: { column: "session" } })).toContain(
      'input.group.column: expected a column of the file, got "session"',
    );
    expect(refusal({ time: { column: "day" } })).toContain(
      'input.time.column: expected a column of the file, got "day"',
    );
  });

  it("may be fields, but no labels", () => {
    const columns = ["user", "tab", "click", "like", "part"];
    expect(() =>
      checkSpec({ ...viewsSpec, group: { column: "user" }, time: { column: "tab" } }, columns),
    ).not.toThrow();
    expect(refusal({ group: { column: "click" } })).toBe(
      'input.group.column: expected a column that is no label, got "click"',
    );
    expect(refusal({ time: { column: "click" } })).toBe(
      'input.time.column: expected a column that is no label, got "click"',
    );
  });
});

describe("checking the fields of lists and vectors", () => {
  const common = { column: "age", minimumCount: 1, separator: "|" } as const;
  const tags = (of: object = {}): FieldSpec => ({ ...common, kind: "MULTI_VALUED", maximumLength: 20, ...of });
  const history = (of: object = {}): FieldSpec => {
    return { ...common, kind: "SEQUENCE", maximumLength: 50, pooling: "MEAN", ...of };
  };
  const vector = (of: object = {}): FieldSpec => ({ ...common, kind: "VECTOR", width: 8, ...of });
  const refused = (...fields: FieldSpec[]): string => refusal({ fields });

  it("accepts what makes sense", () => {
    expect(refused(user, tags())).toBe("accepted");
    expect(refused(history({ pooling: "TARGET_ATTENTION", target: "user" }), user)).toBe("accepted");
    expect(refused(vector({ separator: ";" }))).toBe("accepted");
    expect(refused(age({ kind: "VALUE", scale: "LOG" }))).toBe("accepted");
  });

  it("refuses lengths, widths and separators that cannot be", () => {
    expect(refused(tags({ maximumLength: 0 }))).toBe(
      "input.fields[0].maximumLength: expected a whole number from 1 to 1000, got 0",
    );
    expect(refused(history({ maximumLength: 1001 }))).toMatch(/^input.fields\[0\].maximumLength: /);
    expect(refused(vector({ width: 1025 }))).toBe(
      "input.fields[0].width: expected a whole number from 1 to 1024, got 1025",
    );
    expect(refused(tags({ separator: "" }))).toBe(
      "input.fields[0].separator: expected a text between two values, got an empty one",
    );
    for (const separator of [".", "-", "0", "e", " ", "["]) {
      expect(refused(vector({ separator }))).toMatch(
        /^input.fields\[0\].separator: expected a text that no number has/,
      );
    }
  });

  it("refuses a target that is no categorical field, and attention without one", () => {
    const hint = "(what the values attend to)";
    const expected = "input.fields[0].target: expected the column of a CATEGORICAL field, got";
    expect(refused(history({ pooling: "TARGET_ATTENTION" }), user)).toBe(`${expected} nothing ${hint}`);
    expect(refused(history({ target: "tab" }), user)).toBe(`${expected} "tab"`);
    expect(refused(history({ target: "age" }), user)).toBe(`${expected} "age"`);
  });

  it("refuses a minimum count where no values are counted", () => {
    expect(refused(vector({ minimumCount: 2 }))).toBe("input.fields[0].minimumCount: expected 1 in a VECTOR, got 2");
    expect(refused({ ...age({ kind: "VALUE", scale: "STANDARD" }), minimumCount: 5 })).toBe(
      "input.fields[0].minimumCount: expected 1 in a NUMERIC field of bucketing VALUE, got 5",
    );
    expect(refused(history({ minimumCount: 2, target: "user" }), user)).toBe(
      "input.fields[0].minimumCount: expected 1 in a SEQUENCE with a target, whose values those are, got 2",
    );
  });
});
