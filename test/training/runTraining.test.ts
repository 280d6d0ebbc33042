import { describe, expect, it } from "vitest";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/model/checkpoint.ts";
import { initialise } from "../../src/model/initialise.ts";
import { glorotUniform, param } from "../../src/plugin/layers.ts";
import { loadPredictor } from "../../src/serving/predictor.ts";
import { meanAuc } from "../../src/training/evaluate.ts";
import type { MetricsEvent } from "../../src/training/events.ts";
import { gateThreshold } from "../../src/training/prunePlan.ts";
import { temperatureAt } from "../../src/training/searchProcedure.ts";
import { tinySplits } from "./tinyDataset.ts";
import { autoIfs, hyperParameters, newRecording, train, type TinyTraining } from "./tinyTraining.ts";

describe("a training", () => {
  it("learns: towers on a small dataset beat chance on the test split by far", async () => {
    const { events, result } = await recorded({ kind: "TRAIN" });
    expect(finalTestAuc(events)).toBeGreaterThan(0.7);
    expect(result.checkpoint.gateRule).toBeUndefined();
    expect(result.timings.total).toBeGreaterThan(0);
  });

  it("searches, then prunes and retrains from the search's checkpoint", async () => {
    const search = await recorded({ kind: "SEARCH" });
    expect(search.events.map(({ summary }) => summary?.epoch ?? null)).toEqual([1, 2, 3, null]);
    expect(search.result.checkpoint.gateRule).toEqual({ kind: "SOFT", temperature: 100 });
    expect(search.flows).toHaveLength(2 * 2 * 4);
    expect(search.progress.at(-1)).toMatchObject({ phase: "search", epoch: 3, epochs: 3, temperature: 100 });

    const prune = await recorded({ kind: "PRUNE", parent: search.result.checkpoint });
    expect(prune.result.checkpoint.gateRule).toEqual({ kind: "HARD", threshold: 0 });
    expect(finalTestAuc(prune.events)).toBeGreaterThan(0.7);
    // The same gates on the same rows: what the search ended with is what the prune removes.
    expect(prune.flows.map((flow) => flow.shareRemoved)).toEqual(search.flows.map((flow) => flow.shareRemoved));
    // The gate embedding is the search's final embedding and is not trained on.
    expect(prune.result.checkpoint.arrays["gateEmbedding"]).toEqual(search.result.checkpoint.arrays["embedding"]);
  });

  it("gives bitwise the same checkpoint from the same seed, another from another seed", async () => {
    const [a, b, c] = [
      await recorded({ kind: "SEARCH" }),
      await recorded({ kind: "SEARCH" }),
      await recorded({ kind: "SEARCH", seed: 2 }),
    ];
    expect(encodeCheckpoint(a.result.checkpoint)).toEqual(encodeCheckpoint(b.result.checkpoint));
    expect(a.result.checkpoint.arrays["embedding"]).not.toEqual(c.result.checkpoint.arrays["embedding"]);
  });

  it("with patience 0 stops at the first epoch that is not better, and keeps the best weights", async () => {
    const hyper = { ...hyperParameters, learningRate: 0.1, maxEpochs: 50, patience: 0, selectionTolerance: 0 };
    const { events } = await recorded({ kind: "TRAIN", hyperParameters: hyper });
    const history = events.filter(({ summary }) => summary !== null).map(({ metrics }) => meanAuc(metrics)!);
    expect(history.length).toBeLessThan(50);
    expect(history.slice(0, -1)).toEqual(history.slice(0, -1).toSorted((x, y) => x - y));
    expect(history.at(-1)).toBeLessThanOrEqual(history.at(-2)!);
    const validation = events.at(-1)!.metrics.filter(({ split }) => split === "validation");
    expect(meanAuc(validation)).toBe(history.at(-2));
  });

  it("with a tolerance keeps the last epoch that came as close to the best", async () => {
    const hyper = { ...hyperParameters, learningRate: 0.1, maxEpochs: 12, patience: 12, selectionTolerance: 0.02 };
    const { events } = await recorded({ kind: "TRAIN", hyperParameters: hyper });
    const history = events.filter(({ summary }) => summary !== null).map(({ metrics }) => meanAuc(metrics)!);
    const close = history.filter((auc, i) => auc > Math.max(0, ...history.slice(0, i)) - 0.02);
    const validation = events.at(-1)!.metrics.filter(({ split }) => split === "validation");
    expect(meanAuc(validation)).toBe(close.at(-1));
  });

  it("predicts from the checkpoint's bytes what it was evaluated with", async () => {
    const search = await recorded({ kind: "SEARCH" });
    const prune = await recorded({ kind: "PRUNE", parent: search.result.checkpoint });
    const checkpoint = decodeCheckpoint(encodeCheckpoint(prune.result.checkpoint));
    const predictor = await loadPredictor(checkpoint, sharedBottom);
    const rows = tinySplits().test;

    const { probabilities, partialLogits, gates } = await predictor.predict(rows);

    expect(probabilities).toHaveLength(rows.rows * 2);
    for (const [cell, probability] of probabilities.entries()) {
      const [full, ...flows] = partialLogits!.subarray(cell * 5, cell * 5 + 5);
      const removed = flows.reduce((sum, flow, i) => sum + flow * gates![cell * 4 + i]!, 0);
      expect(probability).toBeCloseTo(1 / (1 + Math.exp(-(full! - removed))), 5);
    }
    const first = { ids: rows.ids.slice(0, 3), numbers: rows.numbers, scenario: rows.scenario.slice(0, 1) };
    const alone = await predictor.predict({ rows: 1, ...first });
    expect(alone.probabilities[0]).toBeCloseTo(probabilities[0]!, 6);
    await predictor.release();
  });

  it("trains with dropout and batch norm, whose running statistics are in the checkpoint", async () => {
    const { events, result } = await recorded({ kind: "SEARCH", head: { ...autoIfs, batchNorm: true, dropout: 0.2 } });
    expect(finalTestAuc(events)).toBeGreaterThan(0.6);
    expect([...result.checkpoint.arrays["head/scenario.0.norm.mean"]!.values]).not.toEqual(
      Array.from({ length: 8 }, () => 0),
    );
  });

  it("trains the unknown ids by field dropout: they move, and stay where they were without it", async () => {
    const unknown = async (fieldDropout: number): Promise<number[]> => {
      const hyper = { ...hyperParameters, l2: 0, averagingDecay: 0, fieldDropout, maxEpochs: 1 };
      const { result } = await recorded({ kind: "TRAIN", hyperParameters: hyper });
      return [...result.checkpoint.arrays["embedding"]!.values.subarray(30 * 4)];
    };
    const untouched = initialise({ embedding: param([33, 4], glorotUniform(33, 4)) }, 1)["embedding"]!.values;
    expect(await unknown(0)).toEqual([...untouched.subarray(30 * 4)]);
    expect(await unknown(0.2)).not.toEqual([...untouched.subarray(30 * 4)]);
  });

  it("refuses to prune what is not a search", async () => {
    const { result } = await recorded({ kind: "TRAIN" });
    await expect(recorded({ kind: "PRUNE", parent: result.checkpoint })).rejects.toThrow(
      "prune: expected the checkpoint of a search run",
    );
  });

  /** With what it reported. */
  async function recorded(training: TinyTraining) {
    const record = newRecording();
    return { result: await train({ ...training, record }), ...record };
  }

  function finalTestAuc(events: readonly MetricsEvent[]): number {
    return meanAuc(events.at(-1)!.metrics.filter(({ split }) => split === "test"))!;
  }
});

describe("the temperature", () => {
  it("grows geometrically from 1 to the final one", () => {
    expect([0, 1, 2].map((epoch) => temperatureAt(epoch, 3, 100))).toEqual([1, 10, 100]);
  });

  it("is 1 when there is only one epoch", () => {
    expect(temperatureAt(0, 1, 100)).toBe(1);
  });
});

describe("the prune threshold", () => {
  it("of 0.5 is the paper's rule w > 0, exactly", () => {
    expect(gateThreshold(0.5, 100)).toBe(0);
  });

  it("is where the soft gate reaches it at the search's temperature", () => {
    const w = gateThreshold(0.9, 10);
    expect(1 / (1 + Math.exp(-10 * w))).toBeCloseTo(0.9, 12);
  });
});
