/** How gates of cells are measured: what a flow is worth to a cell's validation rows, and when flows open. */
import { describe, expect, it } from "vitest";
import { firstGates, measuredGates, removalProbabilities } from "../../src/training/measuredGates.ts";

const numbers = {
  epochs: 24,
  rewindEpoch: 1,
  finalTemperature: 500,
  gateLearningRate: 0.5,
  gateInitialBias: -0.85,
  gateRegulariser: -0.02,
};

/** One scenario and one task: 400 rows in which flow sh→sh says the label and flow sh→m says the opposite. */
function oneCell() {
  const rows = 400;
  const labels = Float32Array.from({ length: rows }, (_, row) => row % 2);
  const all = new Float32Array(rows * 5);
  labels.forEach((label, row) => {
    const sign = 2 * label - 1;
    const flows = [1.5 * sign, 0, -0.5 * sign, 0];
    all.set([flows.reduce((sum, f) => sum + f, 0), ...flows], row * 5);
  });
  const split = {
    rows,
    ids: new Int32Array(rows),
    numbers: new Float32Array(0),
    scenario: new Int32Array(rows),
    labels,
  };
  return { rows: split, partialLogits: all, scenarios: 1, tasks: 1 };
}

describe("the gates of cells", () => {
  it("open what all cells share at once, what one scenario or task has next, what one cell has last", () => {
    const w = firstGates(1, numbers.epochs);
    expect([...removalProbabilities(w, 0, numbers)]).toEqual([expect.closeTo(0.3, 2), 1, 1, 1]);
    const closed = (epoch: number) => [...removalProbabilities(w, epoch, numbers)].map((p) => p === 1);
    expect(closed(2)).toEqual([false, true, true, true]);
    expect(closed(3)).toEqual([false, true, false, false]);
    expect(closed(7)).toEqual([false, false, false, false]);
  });

  it("measure what the log-loss of a cell gains without a flow, plus what a flow has to earn", () => {
    let w = firstGates(1, 1);
    const measurement = oneCell();
    w = measuredGates(w, 0, measurement, { ...numbers, epochs: 1 });
    const loss = (logit: number): number => Math.log1p(Math.exp(-logit));
    const leftOut = 1 / (1 + Math.exp(0.85));
    // With the other flow that says something, and without.
    const gain = (rest: number): number => loss(1.5 + rest) - loss(rest);
    expect(w[0]).toBeCloseTo((1 - leftOut) * gain(-0.5) + leftOut * gain(0) + 0.005, 5);
    expect(w[2]).toBeGreaterThan(0.005); // says the opposite: away with it
    expect(w[1]).toBeCloseTo(0.005, 6); // says nothing, and does not earn its keep
  });

  it("end where a harmful flow is left out and a useful one kept", () => {
    let w = firstGates(1, numbers.epochs);
    for (let epoch = 0; epoch < numbers.epochs; epoch++) w = measuredGates(w, epoch, oneCell(), numbers);
    const [shared, , sharedTask] = removalProbabilities(w, numbers.epochs, numbers);
    expect(shared).toBe(0.05);
    expect(sharedTask).toBe(0.95);
  });

  it("keep the gates of a cell without validation rows as they were", () => {
    const none = new Float32Array(0);
    const empty = { rows: 0, ids: new Int32Array(), scenario: new Int32Array(), labels: none, numbers: none };
    const measurement = { rows: empty, partialLogits: new Float32Array(), scenarios: 1, tasks: 1 };
    const w = Float32Array.of(0.1, 0.2, -0.3, 0);
    expect(measuredGates(w, 20, measurement, numbers)).toEqual(w);
  });
});
