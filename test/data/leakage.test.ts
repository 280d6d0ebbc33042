import { describe, expect, it } from "vitest";
import type { Database } from "../../src/data/duckDb.ts";
import { checkLeakage } from "../../src/data/leakage.ts";
import { viewsSpec } from "./dataFolder.ts";

describe("a check that fails", () => {
  it("becomes a warning that says so, and does not keep the others from being made", async () => {
    const failure = () => Promise.reject(new Error("Out of Memory Error: no room\nat line 1"));
    const database = { run: async () => {}, rows: failure } as unknown as Database;
    const source = { file: "views.csv", rows: 10, column: () => "c0", linesOf: failure };
    const time = { column: "day" };

    const warnings = await checkLeakage({ database, source, spec: { ...viewsSpec, time }, fields: [] });

    expect(warnings.map(({ kind }) => kind)).toEqual(["NOT_CHECKED", "NOT_CHECKED", "NOT_CHECKED"]);
    expect(warnings[0]).toEqual({
      kind: "NOT_CHECKED",
      message: "The check for duplicate rows could not be made: Out of Memory Error: no room",
      column: null,
      task: null,
      split: null,
      rows: null,
      share: null,
      evidence: {},
    });
  });
});
