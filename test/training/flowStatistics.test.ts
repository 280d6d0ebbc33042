import { describe, expect, it } from "vitest";
import type { DatasetShape, SplitRows } from "../../src/data/spec.ts";
import { createRandom } from "../../src/random.ts";
import { flowStatistics } from "../../src/training/flowStatistics.ts";

const shape: DatasetShape = {
  fields: 0,
  ids: 0,
  unknownIds: [],
  scenarios: ["home", "search", "channel"],
  tasks: ["click", "like"],
};

function rowsOf(scenario: readonly number[]): SplitRows {
  const rows = scenario.length;
  const [ids, numbers] = [new Int32Array(0), new Float32Array(0)];
  return { rows, ids, numbers, scenario: Int32Array.from(scenario), labels: new Float32Array(rows * 2) };
}

/** One row of home, whose eight gate logits these are. */
const ofOneRow = (logits: readonly number[], temperature = 1) =>
  flowStatistics(rowsOf([0]), Float32Array.from(logits), shape, { threshold: 0, temperature });

describe("the statistics of gates", () => {
  it("of one row are its gates: one that removes, one that keeps, one that cannot decide", () => {
    const [removes, keeps, neither] = ofOneRow([1, -1, 0, 0, 0, 0, 0, 0], 100);
    expect(removes).toEqual({
      scenario: "home",
      task: "click",
      flow: "SHARED_SHARED",
      shareRemoved: 1,
      meanGate: 1,
      entropy: expect.closeTo(0, 12),
      saturation: 1,
      meanLogit: 1,
    });
    expect(keeps).toMatchObject({ flow: "SCENARIO_TASK", shareRemoved: 0, saturation: 1, meanLogit: -1 });
    expect(neither).toMatchObject({ flow: "SHARED_TASK", shareRemoved: 0, meanGate: 0.5, entropy: 1, saturation: 0 });
  });

  it("tell a temperature that sharpened a gate from a gate that learned", () => {
    const [soft, hard] = [1, 100].map((temperature) => ofOneRow([0.1, 0, 0, 0, 0, 0, 0, 0], temperature)[0]!);
    expect(soft!.entropy).toBeGreaterThan(0.99);
    expect(hard!.entropy).toBeLessThan(0.01);
    expect(soft!.meanLogit).toBe(hard!.meanLogit);
  });

  it("are those of a slow reference by definition, cell by cell, within 1e-9", () => {
    const random = createRandom(1, "gates");
    const rows = rowsOf(Array.from({ length: 200 }, () => random.bits() % 2));
    const logits = Float32Array.from({ length: 200 * 8 }, () => 2 * random.normal());
    const [threshold, temperature] = [0.3, 2.5];
    const found = flowStatistics(rows, logits, shape, { threshold, temperature });
    // Channel has no rows.
    expect(found.map(({ scenario, task }) => `${scenario} ${task}`)).toEqual(
      ["home click", "home like", "search click", "search like"].flatMap((cell) => Array(4).fill(cell)),
    );
    for (const [at, statistic] of found.entries()) {
      const k = Math.floor(at / 8);
      const own = Array.from(rows.scenario.keys()).filter((row) => rows.scenario[row] === k);
      const w = own.map((row) => logits[row * 8 + (at % 8)]!);
      const gates = w.map((x) => 1 / (1 + Math.exp(-temperature * x)));
      const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
      expect(statistic.shareRemoved).toBe(mean(w.map((x) => Number(x > threshold))));
      expect(statistic.meanGate).toBeCloseTo(mean(gates), 9);
      expect(statistic.entropy).toBeCloseTo(mean(gates.map((g) => -g * Math.log2(g) - (1 - g) * Math.log2(1 - g))), 9);
      expect(statistic.saturation).toBe(mean(gates.map((g) => Number(g < 0.01 || g > 0.99))));
      expect(statistic.meanLogit).toBeCloseTo(mean(w), 9);
    }
  });

  it("leave out flows that are not numbers any more, and take decided gates however large", () => {
    const found = ofOneRow([NaN, Infinity, 1e30, -1e30, 0, 0, 0, 0], 100);
    expect(found.map(({ flow }) => flow).slice(0, 3)).toEqual(["SHARED_TASK", "SCENARIO_SHARED", "SHARED_SHARED"]);
    expect(found.slice(0, 2)).toMatchObject([
      { meanGate: 1, entropy: 0, saturation: 1 },
      { meanGate: 0, entropy: 0, saturation: 1 },
    ]);
  });
});
