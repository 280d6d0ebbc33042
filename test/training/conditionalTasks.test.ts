import { beforeAll, describe, expect, it } from "vitest";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import type { DatasetShape, SplitRows } from "../../src/data/spec.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { changesFrom } from "../../src/metrics/pairedChange.ts";
import { flowNames } from "../../src/model/spec.ts";
import { createScorer, loadPredictor } from "../../src/serving/predictor.ts";
import { answeredLogits } from "../../src/training/answeredLogits.ts";
import { cellMetrics } from "../../src/training/evaluate.ts";
import { flowEffects } from "../../src/training/flowEffects.ts";
import { measuredGates } from "../../src/training/measuredGates.ts";
import { prunePlan, searchedRows } from "../../src/training/prunePlan.ts";
import { slowAuc } from "../metrics/slowMetrics.ts";
import { tinyShape, tinySplits } from "./tinyDataset.ts";
import { autoIfs, hyperParameters, newRecording, train } from "./tinyTraining.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const [click, like] = [0, 1];

// A like counts only where there was a click.
const shape: DatasetShape = { ...tinyShape, conditions: [null, click] };
const nested = (rows: SplitRows): SplitRows => ({
  ...rows,
  labels: rows.labels.map((label, i) => (i % 2 === like ? label * rows.labels[i - 1]! : label)),
});
const splits = tinySplits();
const rows = { train: nested(splits.train), validation: nested(splits.validation), test: nested(splits.test) };
const dataset = { shape, rows };
const cellGates = { ...autoIfs, gates: "CELL" as const };

type Trained = Awaited<ReturnType<typeof train>>;

/** Of the finished model on the test rows; with logits composed by hand where there are partial ones. */
async function predicted({ checkpoint }: Trained) {
  const predictor = await loadPredictor(checkpoint, sharedBottom);
  const predictions = await predictor.predict(rows.test);
  await predictor.release();
  return predictions;
}

let search: Trained;
beforeAll(async () => {
  search = await train({ kind: "SEARCH", head: cellGates, dataset });
});

describe("a training with a conditional task", () => {
  it("of towers answers with the probability of both, and learns it", async () => {
    const record = newRecording();
    const result = await train({ dataset, record });
    const { probabilities } = await predicted(result);
    for (let row = 0; row < rows.test.rows; row++)
      expect(probabilities[row * 2 + like]).toBeLessThanOrEqual(probabilities[row * 2 + click]!);
    const test = record.events.flatMap(({ metrics }) => metrics).filter(({ split }) => split === "test");
    const ofLike = test.filter(({ task }) => task === "like");
    for (const name of ["auc", "conditionalAuc"]) {
      const values = ofLike.flatMap((metric) => (metric.name === name ? [metric.value!] : []));
      expect(values).toHaveLength(2);
      expect(Math.min(...values)).toBeGreaterThan(0.6);
    }
    expect(test.some(({ task, name }) => task === "click" && name === "conditionalAuc")).toBe(false);
  });

  it.each([
    ["gates of cells", { head: cellGates }],
    ["gates of rows", { head: autoIfs }],
  ])(
    "searches and prunes with %s, and what is composed from partial logits is what is answered",
    async (_, { head }) => {
      const searched = head === cellGates ? search : await train({ kind: "SEARCH", head, dataset });
      const pruned = await train({
        kind: "PRUNE",
        head,
        dataset,
        parent: searched.checkpoint,
        hyperParameters: { ...hyperParameters, maxEpochs: 1 },
      });
      for (const trained of [searched, pruned]) {
        const { probabilities, partialLogits, gates } = await predicted(trained);
        const answered = answeredLogits({ partialLogits: partialLogits!, gates: gates! }, shape.conditions!);
        for (const [i, p] of probabilities.entries()) {
          expect(Math.abs(p - sigmoid(answered[i]!))).toBeLessThan(1e-6);
          if (i % 2 === like) expect(p).toBeLessThanOrEqual(probabilities[i - 1]!);
        }
      }
    },
  );
});

describe("the AUC where the condition is 1", () => {
  it("is of the probability over that of the condition, on those rows of the cell", async () => {
    const { probabilities } = await predicted(search);
    const metrics = cellMetrics("test", rows.test, probabilities, shape, "FULL");
    const home = Array.from({ length: rows.test.rows }, (_, row) => row).filter((row) => {
      return rows.test.scenario[row] === 0 && rows.test.labels[row * 2 + click] === 1;
    });
    const expected = slowAuc(
      home.map((row) => Math.fround(probabilities[row * 2 + like]! / probabilities[row * 2 + click]!)),
      home.map((row) => rows.test.labels[row * 2 + like]!),
    );
    const found = metrics.find(({ name, scenario }) => name === "conditionalAuc" && scenario === "home")!;
    expect(found).toMatchObject({ task: "like", reason: null, value: expect.closeTo(expected, 12) });
    expect(found.low).toBeLessThan(found.value!);
    expect(found.high).toBeGreaterThan(found.value!);
  });

  it("is not measured at the end of an epoch, and null where there is nothing to measure", () => {
    const some: SplitRows = {
      rows: 3,
      ids: new Int32Array(9),
      numbers: new Float32Array(0),
      scenario: new Int32Array(3),
      labels: Float32Array.of(1, 1, 0, 0, 1, 1),
    };
    const p = Float32Array.of(0.5, 0.2, 0.4, 0.1, 0.5, 0.3);
    const reasonOf = (labels: readonly number[], probabilities: Float32Array = p) => {
      const metrics = cellMetrics("test", { ...some, labels: Float32Array.from(labels) }, probabilities, shape, "FULL");
      return metrics.find(({ name, scenario }) => name === "conditionalAuc" && scenario === "home")!.reason;
    };
    expect(cellMetrics("test", some, p, shape, "QUICK").map(({ name }) => name)).not.toContain("conditionalAuc");
    expect(reasonOf([1, 1, 0, 0, 1, 0])).toBeNull();
    expect(reasonOf([1, 1, 0, 0, 1, 1])).toBe("ONE_CLASS");
    expect(reasonOf([0, 0, 0, 0, 0, 0])).toBe("NO_ROWS");
    expect(reasonOf([1, 1, 0, 0, 1, 0], Float32Array.of(0, 0, 0.4, 0.1, 0.5, 0.3))).toBe("NOT_FINITE");
  });
});

describe("other gates of a conditional task", () => {
  it("are tried with its condition as the model has it: what a flow is worth", async () => {
    const { partialLogits, gates } = await predicted(search);
    const effects = await flowEffects(rows.test, { partialLogits, gates }, shape);
    const own = Array.from({ length: rows.test.rows }, (_, row) => row).filter((row) => rows.test.scenario[row] === 1);
    const labels = Float32Array.from(own, (row) => rows.test.labels[row * 2 + like]!);
    const answer = (row: number, flow?: number): number => {
      const logit = (m: number): number => {
        const at = row * 2 + m;
        const gateOf = (i: number): number => (m === like && i === flow ? 1 : gates![at * 4 + i]!);
        return flowNames.reduce(
          (sum, _, i) => sum - gateOf(i) * partialLogits![at * 5 + 1 + i]!,
          partialLogits![at * 5]!,
        );
      };
      return sigmoid(logit(click)) * sigmoid(logit(like));
    };
    const asItIs = own.map((row) => answer(row));
    for (const [i, flow] of flowNames.entries()) {
      const found = effects.find((one) => one.scenario === "search" && one.task === "like" && one.flow === flow)!;
      const out = own.map((row) => answer(row, i));
      expect(found.outAuc.value).toBeCloseTo(slowAuc(out, labels) - slowAuc(asItIs, labels), 3);
    }
  });

  it("are tried in the same way by a prune's plan", async () => {
    const scorer = await createScorer(await createEngine("compiled"), sharedBottom, search.checkpoint);
    const searched = await searchedRows(scorer, search.checkpoint, rows.validation);
    await scorer.release();
    const { cells } = prunePlan({ granularity: "CELL", target: { auc: 1 } }, searched); // removes all flows
    const { probabilities, partialLogits } = searched.predictions;
    const own = Array.from({ length: rows.validation.rows }, (_, row) => row).filter((row) => {
      return rows.validation.scenario[row] === 0;
    });
    const column = (values: Float32Array, m: number) => Float32Array.from(own, (row) => values[row * 2 + m]!);
    const bare = Float32Array.from(own, (row) => {
      const at = (row * 2 + like) * 5;
      const [full, ...flows] = partialLogits.subarray(at, at + 5);
      return probabilities[row * 2 + click]! * sigmoid(flows.reduce((left, flow) => left - flow, full!));
    });
    const changes = changesFrom(column(probabilities, like), column(rows.validation.labels, like))(bare);
    const found = cells.find(({ scenario, task }) => scenario === "home" && task === "like")!;
    expect(found.flows.map(({ shareRemoved }) => shareRemoved)).toEqual([1, 1, 1, 1]);
    expect(found.logloss.value).toBeCloseTo(changes.logloss.value!, 5);
  });

  it("are measured by what both lose together: less where the condition is improbable, as without one where it is certain", () => {
    const labels = Float32Array.from({ length: 40 }, (_, i) => Number(i % 4 === 1)); // no condition without the task
    const split = {
      rows: 20,
      ids: new Int32Array(20),
      numbers: new Float32Array(0),
      scenario: new Int32Array(20),
      labels,
    };
    const numbers = { ...hyperParameters.search, epochs: 1, gateRegulariser: 0 };
    const gainsWith = (condition: number, conditional: boolean): number[] => {
      const partialLogits = new Float32Array(200);
      for (let row = 0; row < 20; row++) {
        partialLogits.set([condition, 0, 0, 0, 0], row * 10);
        partialLogits.set([0.5, 0.7, -0.4, 0.3, -0.1], row * 10 + 5);
      }
      const measurement = { rows: split, partialLogits, scenarios: 1, tasks: 2 };
      const gates = { conditional: { conditions: [null, click], gates: new Float32Array(160) } };
      const w = measuredGates(new Float32Array(8), 0, { ...measurement, ...(conditional ? gates : {}) }, numbers);
      return Array.from(w).slice(4);
    };
    const plain = gainsWith(40, false);
    const closely = (values: number[]) => values.map((value) => expect.closeTo(value, 6));
    expect(gainsWith(40, true)).toEqual(closely(plain));
    for (const gain of plain) expect(Math.abs(gain)).toBeGreaterThan(1e-3);
    labels.fill(0);
    for (const gain of gainsWith(-10, true)) expect(Math.abs(gain)).toBeLessThan(1e-4);
  });
});
