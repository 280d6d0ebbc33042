import { describe, expect, it } from "vitest";
import { inTensors, readInference, reservedNames, rowsOf } from "../../src/server/inferenceRequest.ts";

const field = (column: string, mayBeLeftOut = false) => {
  return { column, kind: "CATEGORICAL" as const, width: 1, mayBeLeftOut };
};
const bytes = (name: string, ...data: (string | null)[]) => ({ name, datatype: "BYTES", shape: [data.length], data });

describe("an inference request", () => {
  it("becomes rows of values by column", () => {
    const model = { fields: [field("user"), field("tab", true)], scenarios: ["home"], tasks: ["click"] };
    const request = readInference({ inputs: [bytes("user", "u1", null), bytes("id", null, "second")] });
    expect(rowsOf(request, model)).toEqual([
      { id: null, scenario: "home", values: { user: "u1" } },
      { id: "second", scenario: "home", values: { user: null } },
    ]);
  });

  it("holds scenario and row names under other names where columns have these", () => {
    const model = {
      fields: [field("id"), field("_id"), field("scenario")],
      scenarios: ["home", "search"],
      tasks: ["click"],
    };
    const names = reservedNames(model);
    expect(names).toEqual({ scenario: "_scenario", id: "__id" });
    const inputs = [bytes("id", "i1"), bytes("_id", "i2"), bytes("scenario", "s")];
    const request = readInference({ inputs: [...inputs, bytes("_scenario", "search"), bytes("__id", "row")] });
    expect(rowsOf(request, model)).toEqual([
      { id: "row", scenario: "search", values: { id: "i1", _id: "i2", scenario: "s" } },
    ]);
    expect(inTensors("rows[3].values.scenario", names)).toBe('input "scenario", element 3');
    expect(inTensors("rows[3].scenario", names)).toBe('input "_scenario", element 3');
    expect(inTensors("model", names)).toBe("model");
  });

  it("keeps a column called __proto__ as one of its values", () => {
    const model = { fields: [field("__proto__")], scenarios: ["home"], tasks: ["click"] };
    const [row] = rowsOf(readInference({ inputs: [bytes("__proto__", "x")] }), model);
    expect(Object.entries(row!.values as object)).toEqual([["__proto__", "x"]]);
  });
});
