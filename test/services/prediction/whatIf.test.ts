import { describe, expect, it } from "vitest";
import { checkOverrides, withGates } from "../../../src/services/prediction/whatIf.ts";

const facts = { scenarios: ["home", "search"], tasks: ["click", "like"], columns: [] };
const scenario = Int32Array.of(0, 1);
/** Full and four flows of each of the 2 rows × 2 tasks. */
const partialLogits = Float32Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 2 : i / 10));
const gates = Float32Array.from({ length: 16 }, (_, i) => (i % 3 === 0 ? 1 : 0.25));

/** σ(full − Σ gate · flow) of one row and task, written out. */
function expected(cell: number, applied: readonly number[]): number {
  const [full, ...flows] = partialLogits.subarray(cell * 5, cell * 5 + 5);
  return 1 / (1 + Math.exp(-(full! - flows.reduce((sum, flow, i) => sum + applied[i]! * flow, 0))));
}

const ownGates = (cell: number): number[] => [...gates.subarray(cell * 4, cell * 4 + 4)];

describe("what a model would say with other gates", () => {
  it("is what it says where nothing is given", () => {
    const { probabilities } = withGates({ partialLogits, gates }, scenario, facts, []);
    for (const [cell, probability] of probabilities.entries())
      expect(probability).toBeCloseTo(expected(cell, ownGates(cell)), 6);
  });

  it("follows the partial logits, in the cells that are meant", () => {
    const overrides = [
      { flow: "SHARED_TASK", gate: 1 },
      { scenario: "search", flow: "SCENARIO_TASK", gate: 0.5 },
      { scenario: "search", task: "like", flow: "SHARED_TASK", gate: 0 },
    ] as const;
    const answer = withGates({ partialLogits, gates }, scenario, facts, overrides);
    const applied = [0, 1, 2, 3].map((cell) => {
      const [a, b, , d] = ownGates(cell);
      return [a!, cell >= 2 ? 0.5 : b!, cell === 3 ? 0 : 1, d!];
    });
    expect([...answer.gates]).toEqual(applied.flat());
    for (const [cell, probability] of answer.probabilities.entries())
      expect(probability).toBeCloseTo(expected(cell, applied[cell]!), 6);
    expect(answer.partialLogits).toBe(partialLogits);
  });

  it("is asked of scenarios and tasks that the model has, with gates from 0 to 1", () => {
    const asked = (override: object) => () =>
      withGates({ partialLogits, gates }, scenario, facts, [{ flow: "SHARED_TASK", gate: 1, ...override }]);
    expect(asked({ scenario: "work" })).toThrow(
      'gateOverride[0].scenario: expected one of "home", "search", got "work"',
    );
    expect(asked({ task: "buy" })).toThrow('gateOverride[0].task: expected one of "click", "like", got "buy"');
    expect(() => checkOverrides([{ flow: "SHARED_TASK", gate: 1.5 }])).toThrow(
      "gateOverride[0].gate: expected a number from 0 to 1, got 1.5",
    );
    expect(() => checkOverrides([{ flow: "SHARED_TASK", gate: NaN }])).toThrow("got NaN");
  });
});
