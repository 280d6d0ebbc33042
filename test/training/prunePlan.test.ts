import { describe, expect, it } from "vitest";
import { flowNames } from "../../src/model/spec.ts";
import { createRandom } from "../../src/random.ts";
import { changesOf, gateThreshold, prunePlan, type SearchedRows } from "../../src/training/prunePlan.ts";
import { type CellChange, refusedPrune, worstBreach } from "../../src/training/pruneRule.ts";

const shape = { scenarios: ["home", "search"], tasks: ["click", "like"] };
const [S, T, rows, temperature] = [2, 2, 60, 5];

describe("a plan of a prune", () => {
  it("row by row removes a flow where its gate is above the threshold, and measures what that does", () => {
    const searched = madeSearch(1);
    const plan = prunePlan({ granularity: "ROW", threshold: 0.6 }, searched);
    const above = gateThreshold(0.6, temperature);
    expect(plan.gateRule).toEqual({ kind: "HARD", threshold: above });
    expectPlan(plan.cells, searched, (row, m, i) => searched.predictions.gateLogits[(row * T + m) * 4 + i]! > above);
  });

  it("cell by cell removes a flow where ROW would in more than half of the rows of the cell", () => {
    const searched = madeSearch(2);
    const plan = prunePlan({ granularity: "CELL", threshold: 0.5 }, searched);
    const removed = slowCells().map(({ k, m }) =>
      flowNames.map((_, i) => {
        const own = rowsOf(searched, k);
        return own.filter((row) => searched.predictions.gateLogits[(row * T + m) * 4 + i]! > 0).length > own.length / 2;
      }),
    );
    expect(plan.gateRule).toEqual({ kind: "FIXED", removed: removed.flat().map(Number) });
    expectPlan(plan.cells, searched, (row, m, i) => removed[searched.rows.scenario[row]! * T + m]![i]!);
  });

  it("takes gates that belong to cells at their word, also in a cell without rows", () => {
    const cellLogits = Float32Array.from({ length: S * T * 4 }, (_, i) => (i % 3) - 1);
    const searched = { ...madeSearch(3, { scenarios: 1 }), cellLogits };
    const plan = prunePlan({ granularity: "CELL", threshold: 0.5 }, searched);
    expect(plan.gateRule).toEqual({ kind: "FIXED", removed: Array.from(cellLogits, (w) => Number(w > 0)) });
    expect(plan.cells.map(({ auc }) => auc.reason)).toEqual([null, null, "NO_ROWS", "NO_ROWS"]);
    expect(plan.cells[0]!.flows[1]).toEqual({ flow: "SCENARIO_TASK", shareRemoved: 0, meanGate: 0.5 });
  });

  it("by a target removes as many flows as the AUC of the cell allows, of equally many those without which it is highest", () => {
    for (const allowed of [0, 0.1]) {
      const searched = madeSearch(4);
      const plan = prunePlan({ granularity: "CELL", target: { auc: allowed } }, searched);
      const removed = slowCells().map(({ k, m }) => slowTarget(searched, k, m, allowed));
      expect(plan.gateRule).toEqual({ kind: "FIXED", removed: removed.flat().map(Number) });
      expectPlan(plan.cells, searched, (row, m, i) => removed[searched.rows.scenario[row]! * T + m]![i]!);
    }
  });

  it("by a target that no choice keeps to takes the one with the highest AUC, and leaves a cell without an AUC alone", () => {
    // The soft gates know the labels; no hard ones do.
    const made = madeSearch(5);
    const probabilities = made.rows.labels.map((label, at) => (at % T === 0 ? 0.1 + 0.8 * label : 0.5));
    const labels = made.rows.labels.map((label, at) => (at % T === 0 ? label : 0));
    const searched = {
      ...made,
      rows: { ...made.rows, labels },
      predictions: { ...made.predictions, probabilities },
    };
    const { cells } = prunePlan({ granularity: "CELL", target: { auc: 0 } }, searched);
    const shares = ({ flows }: (typeof cells)[number]): boolean[] =>
      flows.map(({ shareRemoved }) => shareRemoved === 1);
    expect(shares(cells[0]!)).toEqual(slowTarget(searched, 0, 0, 0));
    expect(cells[0]!.auc.value).toBeLessThan(0);
    expect(shares(cells[1]!)).toEqual([false, false, false, false]);
    expect(cells[1]!.auc.reason).toBe("ONE_CLASS");
  });
});

describe("an allowed loss", () => {
  const change = (auc: number | null, logloss: number): Omit<CellChange, "scenario" | "task"> => ({
    auc: { value: auc, low: null, high: null, reason: null },
    logloss: { value: logloss, low: null, high: null, reason: null },
  });
  const cells: CellChange[] = [
    { scenario: "home", task: "click", ...change(-0.003, 0.001) },
    { scenario: "home", task: "like", ...change(-0.005, 0.02) },
    { scenario: "search", task: "like", ...change(null, -1) },
  ];

  it("is broken by the cell that loses most of those that lose more", () => {
    expect(worstBreach(cells, { auc: 0.002 })).toMatchObject({ scenario: "home", task: "like", metric: "auc" });
    expect(worstBreach(cells, { auc: 0.002, logloss: 0.01 })).toMatchObject({ task: "like", metric: "logloss" });
    expect(worstBreach(cells.slice(0, 1), { auc: 0.002, logloss: 0.01 })).toMatchObject({
      task: "click",
      allowed: 0.002,
    });
  });

  it("is kept by a loss as large as allowed, a gain, and a metric that does not exist", () => {
    expect(worstBreach(cells, { auc: 0.005, logloss: 0.02 })).toBeNull();
    expect(worstBreach(cells, {})).toBeNull();
  });

  it("that is broken is told with the cell, the metric and the numbers", () => {
    const error = refusedPrune(worstBreach(cells, { auc: 0.002 })!);
    expect(error).toMatchObject({
      code: "PRUNE_REFUSED",
      message:
        "prune: the AUC of home × like fell by 0.005 on the validation split, more than the 0.002 it may; the model is not kept",
      detail: { field: "allowedLoss.auc", expected: "a fall of at most 0.002", received: "0.005" },
    });
  });

  it("is measured against the searched model as it is", () => {
    const searched = madeSearch(6);
    const same = changesOf(searched, searched.predictions.probabilities);
    expect(same.map(({ scenario, task, auc }) => [scenario, task, auc.value, auc.low])).toEqual(
      slowCells().map(({ k, m }) => [shape.scenarios[k], shape.tasks[m], 0, 0]),
    );
  });
});

const slowCells = () => [0, 1].flatMap((k) => [0, 1].map((m) => ({ k, m })));

/** Some flows help and some are noise; the soft gates are half decided. */
function madeSearch(seed: number, { scenarios = S } = {}): SearchedRows {
  const random = createRandom(seed, "made search");
  const scenario = Int32Array.from({ length: rows }, () => random.bits() % scenarios);
  const labels = Float32Array.from({ length: rows * T }, () => random.bits() % 2);
  const gateLogits = Float32Array.from(
    { length: rows * T * 4 },
    (_, at) => 0.3 * random.normal() + 0.1 * ((at % 4) - 1.5),
  );
  const partialLogits = Float32Array.from({ length: rows * T * 5 }, (_, at) => {
    const label = labels[Math.floor(at / 5)]! - 0.5;
    return at % 5 === 0 ? 2 * label + 2 * random.normal() : 0.5 * ((at % 5) - 2) * label + random.normal();
  });
  const probabilities = Float32Array.from({ length: rows * T }, (_, cell) =>
    logistic(
      flowNames.reduce(
        (logit, _name, i) =>
          logit - logistic(temperature * gateLogits[cell * 4 + i]!) * partialLogits[cell * 5 + 1 + i]!,
        partialLogits[cell * 5]!,
      ),
    ),
  );
  return {
    shape,
    rows: { rows, scenario, labels },
    temperature,
    predictions: { probabilities, partialLogits, gateLogits },
  };
}

type IsRemoved = (row: number, task: number, flow: number) => boolean;

/** Everything again, row by row and pair by pair. */
function expectPlan(cells: ReturnType<typeof prunePlan>["cells"], searched: SearchedRows, isRemoved: IsRemoved): void {
  const { predictions } = searched;
  expect(cells).toHaveLength(S * T);
  for (const [at, { k, m }] of slowCells().entries()) {
    const cell = cells[at]!;
    const own = rowsOf(searched, k);
    const labels = own.map((row) => searched.rows.labels[row * T + m]!);
    const before = own.map((row) => predictions.probabilities[row * T + m]!);
    const after = own.map((row) => hard(searched, row, m, (i) => isRemoved(row, m, i)));
    expect([cell.scenario, cell.task]).toEqual([shape.scenarios[k], shape.tasks[m]]);
    expect(cell.auc.value).toBeCloseTo(slowAuc(after, labels) - slowAuc(before, labels), 12);
    expect(cell.logloss.value).toBeCloseTo(slowLogLoss(after, labels) - slowLogLoss(before, labels), 12);
    const half = 1.959964 * Math.sqrt(slowVariance(before, after, labels));
    expect(cell.auc.high! - cell.auc.value!).toBeCloseTo(half, 6);
    expect(cell.auc.value! - cell.auc.low!).toBeCloseTo(half, 6);
    for (const [i, flow] of cell.flows.entries()) {
      const gates = own.map((row) => logistic(temperature * predictions.gateLogits[(row * T + m) * 4 + i]!));
      expect(flow.flow).toBe(flowNames[i]);
      expect(flow.shareRemoved).toBeCloseTo(mean(own.map((row) => Number(isRemoved(row, m, i)))), 12);
      expect(flow.meanGate).toBeCloseTo(mean(gates), 6);
    }
  }
}

function slowTarget(searched: SearchedRows, k: number, m: number, allowed: number): boolean[] {
  const own = rowsOf(searched, k);
  const labels = own.map((row) => searched.rows.labels[row * T + m]!);
  const soft = slowAuc(
    own.map((row) => searched.predictions.probabilities[row * T + m]!),
    labels,
  );
  const choices = Array.from({ length: 16 }, (_, bits) =>
    flowNames.map((_name, i) => Math.floor(bits / 2 ** i) % 2 === 1),
  );
  const measured = choices.map((removed) => {
    const auc = slowAuc(
      own.map((row) => hard(searched, row, m, (i) => removed[i]!)),
      labels,
    );
    return { removed, auc, count: removed.filter(Boolean).length, isAllowed: auc - soft >= -allowed };
  });
  const allowedOnes = measured.filter(({ isAllowed }) => isAllowed);
  const most = Math.max(...allowedOnes.map(({ count }) => count));
  const left = allowedOnes.length > 0 ? allowedOnes.filter(({ count }) => count === most) : measured;
  return left.toSorted((a, b) => b.auc - a.auc)[0]!.removed;
}

/** As a model answers: float32. */
function hard({ predictions }: SearchedRows, row: number, m: number, isRemoved: (flow: number) => boolean): number {
  const [full, ...flows] = predictions.partialLogits.subarray((row * T + m) * 5, (row * T + m) * 5 + 5);
  return Math.fround(logistic(flows.reduce((logit, flow, i) => logit - (isRemoved(i) ? flow : 0), full!)));
}

function rowsOf({ rows: { scenario } }: SearchedRows, k: number): number[] {
  return [...scenario.keys()].filter((row) => scenario[row] === k);
}

function slowAuc(scores: readonly number[], labels: readonly number[]): number {
  const pairs = scores.flatMap((p, i) =>
    labels[i] === 1 ? scores.flatMap((n, j) => (labels[j] === 0 ? [win(p, n)] : [])) : [],
  );
  return mean(pairs);
}

/** DeLong's, from the wins of every row over the rows of the other class. */
function slowVariance(before: readonly number[], after: readonly number[], labels: readonly number[]): number {
  const of = (label: number): number => {
    const others = [...labels.keys()].filter((j) => labels[j] !== label);
    const differences = [...labels.keys()]
      .filter((i) => labels[i] === label)
      .map((i) => mean(others.map((j) => win(after[i]!, after[j]!) - win(before[i]!, before[j]!))));
    const centre = mean(differences);
    return differences.reduce((sum, d) => sum + (d - centre) ** 2, 0) / (differences.length - 1) / differences.length;
  };
  return of(1) + of(0);
}

function win(a: number, b: number): number {
  return a > b ? 1 : a === b ? 0.5 : 0;
}

function slowLogLoss(scores: readonly number[], labels: readonly number[]): number {
  return mean(scores.map((p, i) => -Math.log(labels[i] === 1 ? p : 1 - p)));
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
