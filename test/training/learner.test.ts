import { beforeAll, describe, expect, it } from "vitest";
import { fillBatch, rowOrder } from "../../src/data/batches.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { copied, type NamedArrays } from "../../src/model/checkpoint.ts";
import { initialise, initialiseBuffers } from "../../src/model/initialise.ts";
import { buildModel, type Model } from "../../src/model/model.ts";
import type { HeadSpec } from "../../src/model/spec.ts";
import { glorotUniform, param } from "../../src/plugin/layers.ts";
import { loadPlugins } from "../../src/plugin/registry.ts";
import { Learner } from "../../src/training/learner.ts";
import { type LossFunction, retrainLoss, searchLoss, towersLoss } from "../../src/training/lossFunctions.ts";
import { tinyRows, tinyShape } from "./tinyDataset.ts";

const { plugins } = await loadPlugins(new URL("../../plugins/", import.meta.url));
const sizes = { fields: 3, embeddingDim: 4, scenarios: 2, tasks: 2 };
const batchSize = 32;
const autoIfs: HeadSpec = {
  kind: "AUTOIFS",
  scenarioLayers: [6, 5],
  taskLayers: [4],
  rank: 2,
  gates: "ROW",
  gateLayers: [8],
  batchNorm: false,
  dropout: 0,
};

/** What all others do under every head is a rule of the contract of backbones. */
const small: Readonly<Record<string, unknown>> = {
  "shared-bottom": { layers: [12, 8] },
  mmoe: { experts: 3, layers: [12, 8] },
  ple: { levels: [[12], [8]] },
};

/** The three losses: what a run of each kind minimises. */
const phases: readonly [string, HeadSpec, (model: Model) => LossFunction, boolean][] = [
  ["AUTOIFS in search", autoIfs, (model) => searchLoss(model, [0.1, 0.1]), true],
  ["AUTOIFS in retrain", autoIfs, retrainLoss, false],
  ["TOWERS", { kind: "TOWERS", layers: [6] }, towersLoss, false],
];

describe.each(Object.keys(small))("training on the backbone %s", (name) => {
  describe.each(phases)("%s", (_, head, lossOf, trainsGates) => {
    let compiled: Engine;
    let eager: Engine;
    beforeAll(async () => {
      compiled = await createEngine("compiled");
      eager = await createEngine("cpu");
    });

    it("compiled equals eager: loss and all gradients to 1e-5 at once, weights to 1e-4 after 20 steps", async () => {
      const [a, b] = [learner(compiled), learner(eager)];
      const rows = tinyRows({ rows: 640 });
      for (let step = 0; step < 20; step++) {
        for (const l of [a, b]) fill(l, rows, step);
        if (step === 0) {
          const [x, y] = [await a.gradients(batchSize), await b.gradients(batchSize)];
          expect(Math.abs(x.loss - y.loss)).toBeLessThan(1e-5);
          expectClose(x.gradients, y.gradients, 1e-5);
        }
        expect(Math.abs((await a.step(batchSize)) - (await b.step(batchSize)))).toBeLessThan(1e-4);
      }
      expectClose(a.current(), b.current(), 1e-4);
      await a.release();
    });

    it("two runs with the same seed end with bitwise the same weights", async () => {
      const rows = tinyRows({ rows: 640 });
      const ends: NamedArrays[] = [];
      for (let run = 0; run < 2; run++) {
        const l = learner(compiled);
        for (let step = 0; step < 10; step++) {
          fill(l, rows, step);
          await l.step(batchSize);
        }
        ends.push(copied(l.current()));
        await l.release();
      }
      expect(ends[0]).toEqual(ends[1]);
    });

    function learner(engine: Engine): Learner {
      const plugin = plugins.get(name)!;
      const config = plugin.config.parse(small[name] ?? {});
      const model = buildModel({ backbone: { name, config }, head }, plugin, sizes);
      const table = { embedding: param([tinyShape.ids, 4], glorotUniform(tinyShape.ids, 4)) };
      const params = { ...table, ...model.weights, ...(trainsGates ? model.gates : {}) };
      return new Learner({
        engine,
        model,
        arrays: { ...initialise(params, 7), ...initialiseBuffers(model.buffers) },
        loss: lossOf(model),
        weights: { learningRate: 3e-3, l2: 3e-5 },
        gates: trainsGates ? { learningRate: 1e-3, l2: 0 } : undefined,
        averagingDecay: 0,
        batchSize,
        seed: 7,
      });
    }
  });
});

describe("the moving average of the weights", () => {
  it("is what a learner keeps when it averages, and lies between the first weights and the last", async () => {
    const engine = await createEngine("compiled");
    const plugin = plugins.get("shared-bottom")!;
    const config = plugin.config.parse(small["shared-bottom"]);
    const model = buildModel(
      { backbone: { name: "shared-bottom", config }, head: { kind: "TOWERS", layers: [6] } },
      plugin,
      sizes,
    );
    const table = { embedding: param([tinyShape.ids, 4], glorotUniform(tinyShape.ids, 4)) };
    const first = initialise({ ...table, ...model.weights }, 7);
    const weights = { learningRate: 1e-2, l2: 0 };
    const l = new Learner({
      engine,
      model,
      arrays: first,
      loss: towersLoss(model),
      weights,
      averagingDecay: 0.9,
      batchSize,
      seed: 7,
    });
    const expected = first["head/tower.0.0.kernel"]!.values.slice();
    const rows = tinyRows({ rows: 640 });
    for (let step = 1; step <= 20; step++) {
      fill(l, rows, (step - 1) % 20);
      await l.step(batchSize);
      const decay = Math.min(0.9, (1 + step) / (3 + step));
      const now = l.current()["head/tower.0.0.kernel"]!.values;
      expected.forEach((mean, i) => (expected[i] = mean + (1 - decay) * (now[i]! - mean)));
    }
    const kept = l.kept()["head/tower.0.0.kernel"]!.values;
    for (const [i, value] of expected.entries()) expect(kept[i]).toBeCloseTo(value, 6);
    expect([...kept]).not.toEqual([...l.current()["head/tower.0.0.kernel"]!.values]);
    await l.release();
  });
});

function fill(learner: Learner, source: ReturnType<typeof tinyRows>, step: number): void {
  const order = rowOrder({ rows: source.rows, seed: 1, epoch: 0, shuffle: true });
  fillBatch({ source, order, start: step * batchSize, end: (step + 1) * batchSize, into: learner.batch });
  learner.batch.gates.forEach((_, i) => (learner.batch.gates[i] = Number((i * 7) % 3 === 0)));
}

function expectClose(actual: NamedArrays, expected: NamedArrays, tolerance: number): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { values }] of Object.entries(expected)) {
    let worst = 0;
    for (const [i, value] of values.entries()) worst = Math.max(worst, Math.abs(value - actual[name]!.values[i]!));
    expect(worst, name).toBeLessThanOrEqual(tolerance);
  }
}
