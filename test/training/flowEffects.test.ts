import { describe, expect, it } from "vitest";
import type { DatasetShape, SplitRows } from "../../src/data/spec.ts";
import { flowNames } from "../../src/model/spec.ts";
import { createRandom } from "../../src/random.ts";
import { flowEffects } from "../../src/training/flowEffects.ts";
import { average, slowAuc, slowCovariance, slowLosses } from "../metrics/slowMetrics.ts";

const shape: DatasetShape = {
  fields: 0,
  ids: 0,
  unknownIds: [],
  scenarios: ["home", "search"],
  tasks: ["click", "like"],
};

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Rows of a model in which flow 0 says what the label says, flow 2 the contrary, and the others are noise. */
function made(count: number, gateOf: (flow: number) => number) {
  const random = createRandom(1, "partial logits");
  const rows: SplitRows = {
    rows: count,
    ids: new Int32Array(),
    numbers: new Float32Array(0),
    scenario: Int32Array.from({ length: count }, () => random.bits() % 2),
    labels: Float32Array.from({ length: count * 2 }, () => Number(random.uniform() < 0.4)),
  };
  const partialLogits = new Float32Array(count * 10);
  const gates = new Float32Array(count * 8);
  for (let cell = 0; cell < count * 2; cell++) {
    const label = rows.labels[cell]! - 0.5;
    const flows = [label + random.normal(), random.normal(), random.normal() - label, 0.1 * random.normal()];
    partialLogits.set([flows.reduce((sum, f) => sum + f, 0) + random.normal(), ...flows], cell * 5);
    gates.set([0, 1, 2, 3].map(gateOf), cell * 4);
  }
  return { rows, partialLogits, gates };
}

describe("what a flow is worth", () => {
  it("is told by leaving it out: a useful one is missed, a harmful one is not", async () => {
    const { rows, ...predictions } = made(400, () => 0);
    const [useful, , harmful] = await flowEffects(rows, predictions, shape);
    expect(useful).toMatchObject({ scenario: "home", task: "click", flow: "SHARED_SHARED", removed: 0 });
    expect(useful!.outAuc.high).toBeLessThan(0);
    expect(useful!.outLogloss.value).toBeGreaterThan(0);
    expect(harmful!.outAuc.low).toBeGreaterThan(0);
    const same = { value: 0, low: 0, high: 0, reason: null };
    expect(harmful).toMatchObject({ flow: "SHARED_TASK", inAuc: same, inLogloss: same });
  });

  it("is told by leaving it in where the model removes it", async () => {
    const { rows, ...predictions } = made(400, (flow) => Number(flow === 2));
    const harmful = (await flowEffects(rows, predictions, shape))[2]!;
    expect(harmful).toMatchObject({ flow: "SHARED_TASK", removed: 1, outAuc: { value: 0, low: 0, high: 0 } });
    expect(harmful.inAuc.high).toBeLessThan(0);
  });

  it("is what a slow reference finds for every flow of every cell, soft gates included, within 1e-6", async () => {
    const { rows, ...predictions } = made(160, (flow) => [0, 0.3, 0.8, 1][flow]!);
    const effects = await flowEffects(rows, predictions, shape);
    expect(effects).toHaveLength(2 * 2 * 4);
    for (const [at, effect] of effects.entries()) {
      const [k, m, i] = [Math.floor(at / 8), Math.floor(at / 4) % 2, at % 4];
      const cells = [...rows.scenario.keys()].filter((row) => rows.scenario[row] === k).map((row) => row * 2 + m);
      const labels = cells.map((cell) => rows.labels[cell]!);
      const answers = (gate?: number): number[] =>
        cells.map((cell) => {
          const [full, ...flows] = predictions.partialLogits.subarray(cell * 5, cell * 5 + 5);
          const removed = flows.map(
            (f, j) => f * (j === i && gate !== undefined ? gate : predictions.gates[cell * 4 + j]!),
          );
          return Math.fround(logistic(full! - removed.reduce((sum, x) => sum + x, 0)));
        });
      const asItIs = answers();
      expect(effect).toMatchObject({ flow: flowNames[i], rows: cells.length });
      for (const [gate, auc, logloss] of [
        [1, effect.outAuc, effect.outLogloss],
        [0, effect.inAuc, effect.inLogloss],
      ] as const) {
        const changed = answers(gate);
        const value = slowAuc(changed, labels) - slowAuc(asItIs, labels);
        const variance =
          slowCovariance(changed, changed, labels) +
          slowCovariance(asItIs, asItIs, labels) -
          2 * slowCovariance(changed, asItIs, labels);
        expect(auc.value).toBeCloseTo(value, 6);
        expect(auc.high! - auc.low!).toBeCloseTo(2 * 1.959964 * Math.sqrt(Math.max(0, variance)), 5);
        const difference = average(slowLosses(changed, labels)) - average(slowLosses(asItIs, labels));
        expect(logloss.value).toBeCloseTo(difference, 6);
        expect(logloss.low).toBeLessThanOrEqual(logloss.value!);
        expect(logloss.high).toBeGreaterThanOrEqual(logloss.value!);
      }
    }
  });

  it("is told from evenly spaced rows of a cell that has too many, and says from how many", async () => {
    const { rows, ...predictions } = made(400, () => 0.5);
    const few = await flowEffects(rows, predictions, shape, { mostRows: 50 });
    expect(new Set(few.map((effect) => effect.rows))).toEqual(new Set([50]));
    expect(await flowEffects(rows, predictions, shape, { mostRows: 50 })).toEqual(few);
    const looked = [0, 1].flatMap((k) => {
      const own = [...rows.scenario.keys()].filter((row) => rows.scenario[row] === k);
      return Array.from({ length: 50 }, (_, j) => own[Math.floor((j * own.length) / 50)]!);
    });
    const picked = <A extends Float32Array>(all: A, width: number): Float32Array =>
      Float32Array.from(looked.flatMap((row) => [...all.subarray(row * width, row * width + width)]));
    const alone: SplitRows = {
      rows: 100,
      ids: rows.ids,
      numbers: rows.numbers,
      scenario: Int32Array.from(looked, (row) => rows.scenario[row]!),
      labels: picked(rows.labels, 2),
    };
    const ofAlone = { partialLogits: picked(predictions.partialLogits, 10), gates: picked(predictions.gates, 8) };
    expect(await flowEffects(alone, ofAlone, shape)).toEqual(few);
  });

  it("is not there without rows, labels of both kinds, or numbers, and says why", async () => {
    const { rows, ...predictions } = made(40, () => 0);
    rows.scenario.fill(0);
    rows.labels.fill(0);
    predictions.partialLogits[5] = NaN; // of the second task
    const effects = await flowEffects(rows, predictions, shape);
    const missing = (reason: string) => ({ value: null, low: null, high: null, reason });
    const ofCell = (cell: number) => effects[cell * 4]!;
    expect(ofCell(0)).toMatchObject({ rows: 40, outAuc: missing("ONE_CLASS"), outLogloss: { reason: "NO_INTERVAL" } });
    expect(ofCell(1)).toMatchObject({ outAuc: missing("NOT_FINITE"), inLogloss: missing("NOT_FINITE") });
    expect(ofCell(2)).toMatchObject({ rows: 0, removed: null, outAuc: missing("NO_ROWS") });
  });

  it("is nothing for a model without flows", async () => {
    const { rows } = made(4, () => 0);
    expect(await flowEffects(rows, {}, shape)).toEqual([]);
  });
});
