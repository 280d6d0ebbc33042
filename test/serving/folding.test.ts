import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engines.ts";
import type { GateRule } from "../../src/model/checkpoint.ts";
import { foldModel } from "../../src/model/folding/foldModel.ts";
import { shareRows } from "../../src/model/folding/sharedRows.ts";
import type { AutoIfsHead } from "../../src/model/spec.ts";
import { bytesOf, foldedFunction, searchedFunction } from "../../src/serving/frozenModel.ts";
import { staticFigures } from "../../src/serving/modelSize.ts";
import { createScorer } from "../../src/serving/predictor.ts";
import { loadServable } from "../../src/serving/servable.ts";
import { fixedGates, madeCheckpoint, type MadeModel, madeRows } from "./madeCheckpoint.ts";

const rows = 12;

/**
 * Largest difference between logits folded and unfolded, both operator by operator; folded for all scenarios and also for
 * each of `only`.
 */
async function largestDifference(made: MadeModel, ...only: readonly number[]): Promise<number> {
  const { checkpoint, plugin } = madeCheckpoint(made);
  const engine = await createEngine("cpu");
  const batch = madeRows(checkpoint, rows);
  const scorer = await createScorer(engine, plugin, checkpoint);
  const { probabilities, partialLogits, gates } = await scorer.predict(checkpoint.arrays, batch, checkpoint.gateRule);
  const expected = Array.from(probabilities, (probability, cell) => {
    if (!partialLogits) return Math.log(probability / (1 - probability));
    const removed = [0, 1, 2, 3].map((i) => gates![cell * 4 + i]! * partialLogits[cell * 5 + 1 + i]!);
    return partialLogits[cell * 5]! - removed.reduce((a, b) => a + b);
  });
  const tasks = checkpoint.shape.tasks.length;
  const differences: number[] = [];
  for (const options of [{}, ...only.map((k) => ({ only: k }))]) {
    const { fn, inputs, constants } = foldedFunction(foldModel(checkpoint, plugin, options), "logits");
    const program = await engine.compile(fn, inputs, { constants });
    const { logits } = await program.run({ ids: batch.ids, scenario: batch.scenario });
    await program.release();
    const isAnswered = (i: number): boolean =>
      !("only" in options) || batch.scenario[Math.floor(i / tasks)] === options.only;
    expected.forEach((x, i) => isAnswered(i) && differences.push(Math.abs(x - logits![i]!)));
  }
  const answers = only.map((k) => tasks * batch.scenario.filter((own) => own === k).length);
  expect(differences.length).toBe(answers.reduce((a, b) => a + b, rows * tasks));
  return Math.max(...differences);
}

/** The four gates of a choice: bit i removes flow i. */
const bits = (choice: number): number[] => [0, 1, 2, 3].map((i) => (choice >> i) & 1);

const scenarioIndices = [0, 1, 2, 3, 4, 5, 6, 7];

/** The same choice in the cells of 3 scenarios and 2 tasks. */
const everywhere = (choice: number): GateRule => ({
  kind: "FIXED",
  removed: Array.from({ length: 6 }, () => bits(choice)).flat(),
});

const furthest = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Math.max(...Array.from(expected, (x, i) => Math.abs(x - actual[i]!)));

describe("a folded model", () => {
  it("gives the logits of the unfolded one", async () => {
    expect(await largestDifference({ gateRule: fixedGates(3, 2, 0.3) })).toBeLessThan(1e-5);
  });

  it("gives them for one scenario", async () => {
    expect(await largestDifference({ gateRule: fixedGates(3, 2, 0.3) }, 1)).toBeLessThan(1e-5);
  });

  const rules: readonly MadeModel[] = [
    { gateRule: fixedGates(3, 2, 0) },
    { gateRule: fixedGates(3, 2, 1) },
    { gateRule: fixedGates(3, 2, 0.4), head: { gates: "ROW" } },
    { gateRule: { kind: "HARD", threshold: 0.1 }, head: { gates: "ROW" } },
    { gateRule: { kind: "SOFT", temperature: 3 }, head: { gates: "ROW" } },
    { gateRule: { kind: "SOFT", temperature: 3 } },
    { gateRule: { kind: "HARD", threshold: 0.1 } },
    { head: { kind: "TOWERS", layers: [4] } },
  ];
  const depths = [
    {},
    { batchNorm: true },
    { scenarioLayers: [6, 5], batchNorm: true },
    { taskLayers: [4] },
    { scenarioLayers: [6, 5], taskLayers: [16, 4], batchNorm: true, rank: 1 },
  ];
  for (const rule of rules)
    for (const backbone of ["shared-bottom", "mmoe"] as const) {
      const gates = `${rule.gateRule?.kind ?? "no"} gates, ${JSON.stringify(rule.head ?? { gates: "CELL" })}`;
      it(`gives them on ${backbone} with ${gates}, at every depth, for all scenarios and for one`, async () => {
        for (const depth of rule.head?.kind === "TOWERS" ? [{}] : depths) {
          const made = { ...rule, backbone, head: { ...depth, ...rule.head } };
          expect(await largestDifference(made, 2), JSON.stringify(depth)).toBeLessThan(1e-5);
        }
      });
    }

  /** The 16 choices of flows in the cells of 8 scenarios and 2 tasks, mixed. */
  const allChoices: GateRule = {
    kind: "FIXED",
    removed: Array.from({ length: 16 }, (_, cell) => (cell * 7) % 16).flatMap(bits),
  };

  it("gives them whatever flows a cell removes, at every depth, for all scenarios and for each", async () => {
    for (const backbone of ["shared-bottom", "mmoe"] as const)
      for (const head of depths) {
        const made = { scenarios: 8, tasks: 2, gateRule: allChoices, backbone, head };
        expect(await largestDifference(made, ...scenarioIndices), JSON.stringify(head)).toBeLessThan(1e-5);
      }
  });

  it("gives them where all cells remove the same flows", async () => {
    for (const taskLayers of [[], [4]])
      for (let choice = 0; choice < 16; choice++) {
        const made = { gateRule: everywhere(choice), head: { scenarioLayers: [6, 5], taskLayers } };
        expect(await largestDifference(made, 1), `${bits(choice)}`).toBeLessThan(1e-5);
      }
  });

  it("gives them on ple", async () => {
    expect(await largestDifference({ backbone: "ple", gateRule: fixedGates(3, 2, 0.4) }, 0)).toBeLessThan(1e-5);
  });

  it("gives them with one scenario, with one task, and with four of each", async () => {
    for (const [scenarios, tasks] of [
      [1, 1],
      [1, 2],
      [2, 1],
      [4, 4],
    ] as const)
      // prettier-ignore
      for (const taskLayers of [[], [4]]) {
        const head = { taskLayers };
        const fixed = { scenarios, tasks, head, gateRule: fixedGates(scenarios, tasks, 0.4) };
        expect(await largestDifference(fixed)).toBeLessThan(1e-5);
        const soft = { ...fixed, head: { ...head, gates: "ROW" as const }, gateRule: { kind: "SOFT", temperature: 1 } };
        expect(await largestDifference(soft as MadeModel)).toBeLessThan(1e-5);
      }
  });

  const figuresOf = (gateRule: GateRule, head: Partial<AutoIfsHead>, only?: number) => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule, head: { scenarioLayers: [24], ...head } });
    return staticFigures(foldedFunction(foldModel(checkpoint, plugin, only === undefined ? {} : { only })));
  };

  it("with the flows of the paper computes none that no cell removes", () => {
    const flopsOf = (share: number): number =>
      figuresOf(fixedGates(3, 2, share), { gates: "ROW", taskLayers: [16] }).flopsPerRow;
    expect(flopsOf(0)).toBeLessThan(flopsOf(0.1));
    expect(flopsOf(0.1)).toBeLessThan(flopsOf(1));
  });

  it("pays less for own maps of scenarios that no cell keeps, and nothing for a model that keeps no flow", () => {
    const [all, noScenarios, none] = [0b0000, 0b1010, 0b1111].map(everywhere) as [GateRule, GateRule, GateRule];
    for (const taskLayers of [[], [16]])
      for (const only of [undefined, 0]) {
        const [full, shared, nothing] = [all, noScenarios, none].map((gates) => figuresOf(gates, { taskLayers }, only));
        // Of one scenario they are part of the matrix.
        if (only === undefined) expect(shared!.flopsPerRow).toBeLessThan(full!.flopsPerRow - 2 * 7 * 6);
        else expect(shared!.flopsPerRow).toBe(full!.flopsPerRow);
        expect(nothing!.flopsPerRow).toBeLessThan(0.4 * shared!.flopsPerRow);
      }
  });

  it("pays less for own maps of tasks that no cell keeps", () => {
    const [all, noTasks] = [0b0000, 0b0110].map((choice) => figuresOf(everywhere(choice), { taskLayers: [16] }));
    // The hidden layer's maps of rank 2 of both tasks.
    const numbers = 2 * 2 * (24 + 16);
    expect(noTasks!.flopsPerRow).toBeLessThan(all!.flopsPerRow - 2 * numbers);
    expect(noTasks!.parameters).toBeLessThan(all!.parameters - numbers);
  });

  it("keeps the own maps of the scenarios that keep flows through them", () => {
    const removed = [0, 1, 2].flatMap((k) => [...bits(k === 1 ? 0b0000 : 0b1010), ...bits(k === 1 ? 0b0000 : 0b1010)]);
    const [all, one] = [everywhere(0), { kind: "FIXED", removed } as const].map((gates) => figuresOf(gates, {}));
    // Per own map rank · (in + out) numbers, and a column of the mask of 3 scenarios for each of its ranks.
    expect(all!.parameters - one!.parameters).toBe(2 * 2 * (7 + 24 + 1 + 3));
  });

  it("can be told of a model of one scenario", () => {
    const { checkpoint, plugin } = madeCheckpoint({ scenarios: 1, tasks: 1, head: { kind: "TOWERS", layers: [4] } });
    expect(staticFigures(searchedFunction(checkpoint, plugin)).parameters).toBeGreaterThan(0);
  });

  it("has no gate network, no second table, and one row for ids whose rows are equal", () => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule: fixedGates(3, 2, 0.2), head: { gates: "ROW" } });
    const searched = staticFigures(searchedFunction(checkpoint, plugin));
    const folded = foldModel(checkpoint, plugin);
    expect(Object.keys(folded.constants).filter((name) => name.startsWith("gate/"))).toEqual([]);
    expect(staticFigures(foldedFunction(folded)).tableBytes).toBe(searched.tableBytes / 2);
    checkpoint.arrays["embedding"]!.values.fill(0, 20 * 4);
    const { constants } = foldModel(checkpoint, plugin);
    expect(constants["table/rows"]!.shape).toEqual([21, 4]);
  });
});

describe("rows of tables", () => {
  it("are kept once where they are equal in both", () => {
    const table = Float32Array.from({ length: 40 }, (_, i) => i);
    const other = table.slice();
    other[13] = 99;
    const shared = shareRows([table, other], 4)!;
    expect(shared.rows).toBe(11);
    expect(shared.rowOfId[0]).toBeUndefined();
    expect([...shared.rowOfId[1]!]).toEqual([0, 1, 2, 10, 4, 5, 6, 7, 8, 9]);
    expect([...shared.table.subarray(40)]).toEqual([12, 99, 14, 15]);
  });

  it("stay as they are where that is no larger", () => {
    expect(shareRows([Float32Array.from({ length: 40 }, (_, i) => i)], 4)).toBeUndefined();
  });
});

describe("a servable", () => {
  it("answers with the probabilities of the model, in chunks as in one, and tells its bytes", async () => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule: { kind: "HARD", threshold: 0 }, head: { gates: "ROW" } });
    const batch = madeRows(checkpoint, 5000);
    const servable = await loadServable(checkpoint, plugin, { threads: 1 });
    const scorer = await createScorer(await createEngine("compiled"), plugin, checkpoint);
    const { probabilities } = await scorer.predict(checkpoint.arrays, batch, checkpoint.gateRule);
    expect(furthest(await servable.predict(batch), probabilities)).toBeLessThan(1e-5);
    expect(servable.bytes).toBe(bytesOf(foldModel(checkpoint, plugin).constants));
    await servable.release();
    await scorer.release();
  });

  it("of one scenario takes every row for one of it", async () => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule: fixedGates(3, 2, 0.2), backbone: "mmoe" });
    const all = await loadServable(checkpoint, plugin, { threads: 1 });
    const one = await loadServable(checkpoint, plugin, { threads: 1, scenario: "scenario 1" });
    const expected = await all.predict(madeRows(checkpoint, 7, 1));
    expect(furthest(await one.predict(madeRows(checkpoint, 7)), expected)).toBeLessThan(1e-5);
    await all.release();
    await one.release();
  });

  it("of a model that has grown answers each cell with what the model was when the cell came in", async () => {
    const gateRule = fixedGates(3, 2, 0.2);
    const { checkpoint, plugin } = madeCheckpoint({ gateRule });
    const model = { ...checkpoint.model, generations: [{ scenarios: 2, tasks: 2 }] };
    const embedding = checkpoint.arrays["embedding"]!;
    const newest = { ...embedding, values: embedding.values.map((x) => -x) };
    const grown = { ...checkpoint, model, arrays: { ...checkpoint.arrays, "embedding/1": newest } };
    const batch = madeRows(checkpoint, 30);
    const scorer = await createScorer(await createEngine("cpu"), plugin, grown);
    const { probabilities } = await scorer.predict(grown.arrays, batch, gateRule);
    const servable = await loadServable(grown, plugin, { threads: 1 });
    expect(furthest(await servable.predict(batch), probabilities)).toBeLessThan(1e-5);
    const alone = await loadServable(grown, plugin, { threads: 1, scenario: "scenario 2" });
    expect(alone.bytes).toBeLessThan(servable.bytes);
    await servable.release();
    await alone.release();
  });

  it("of a scenario that is not known is refused", async () => {
    const { checkpoint, plugin } = madeCheckpoint({ gateRule: fixedGates(3, 2, 0.2) });
    await expect(loadServable(checkpoint, plugin, { scenario: "nowhere" })).rejects.toThrow(
      "scenario: expected one of scenario 0, scenario 1, scenario 2, got nowhere",
    );
  });
});
