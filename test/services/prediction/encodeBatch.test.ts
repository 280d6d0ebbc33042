import { describe, expect, it } from "vitest";
import { createTransform } from "../../../src/data/transform.ts";
import { encodeBatch } from "../../../src/services/prediction/encodeBatch.ts";
import type { RawRequest } from "../../../src/services/prediction/poolMessages.ts";

const transform = createTransform({
  version: 1,
  fields: [
    { column: "user", kind: "CATEGORICAL", values: ["u0", "u1"] },
    { column: "age", kind: "NUMERIC", bucketing: { kind: "BOUNDARIES", boundaries: [18, 40] }, values: ["0", "1", ""] },
  ],
  scenario: {
    column: "tab",
    values: [
      { value: "0", scenario: "home" },
      { value: "1", scenario: "search" },
    ],
  },
  tasks: ["click"],
});
const scenarios = ["home", "search"];

const request = (rows: readonly unknown[], onRowError: RawRequest["onRowError"] = "FAIL"): RawRequest => ({
  rows: rows.map((values) => ({ scenario: "home", values })),
  onRowError,
});
const good = { user: "u1", age: 20 };

describe("a batch of requests", () => {
  it("has the rows of all of them, one after the other", () => {
    const requests = [request([good, { user: "u0", age: null }]), request([{ user: "?", age: 3 }])];
    const { rows, ids, parts } = encodeBatch(transform, scenarios, requests);
    expect(rows).toBe(3);
    expect(ids).toEqual(transform.encode([...requests[0]!.rows, ...requests[1]!.rows] as never).ids);
    expect(parts).toMatchObject([
      { start: 0, rows: 2, faults: [] },
      { start: 2, rows: 1, faults: [], unknown: [{ column: "user", rows: 1 }] },
    ]);
  });

  it("has none of a request that fails, and the good ones of one that passes over the others", () => {
    const bad = { user: "u1", age: "old" };
    const { rows, parts } = encodeBatch(transform, scenarios, [request([good, bad]), request([bad, good], "SKIP")]);
    expect(rows).toBe(1);
    expect(parts).toMatchObject([
      { error: { code: "INVALID_INPUT", detail: { field: "rows[1].values.age" } } },
      { start: 0, rows: 1, faults: [{ row: 0, message: 'rows[0].values.age: expected a finite number, got "old"' }] },
    ]);
  });
});

describe("a row is refused", () => {
  const message = (row: { scenario?: string; values?: unknown }, of: readonly string[] = scenarios): unknown => {
    const rows = [{ scenario: "home", values: good, ...row }];
    const [part] = encodeBatch(transform, of, [{ rows, onRowError: "FAIL" }]).parts;
    return "error" in part! ? part.error.message : "none";
  };

  it("whose values are no object, or lack a field", () => {
    expect(message({ values: [1] })).toBe("rows[0].values: expected an object of values by column, got [1]");
    expect(message({ values: null })).toBe("rows[0].values: expected an object of values by column, got null");
    expect(message({ values: { user: "u0" } })).toBe(
      "rows[0].values.age: expected a value, got nothing (null stands for a missing value)",
    );
  });

  it("of a scenario that the model does not know", () => {
    expect(message({ scenario: "shop" })).toBe('rows[0].scenario: expected one of "home", "search", got "shop"');
    expect(message({ scenario: "home" }, ["search"])).toBe(
      'rows[0].scenario: expected "search", the only one of this run, got "home"',
    );
    expect(message({ scenario: "search" }, ["search"])).toBe("none");
  });
});
