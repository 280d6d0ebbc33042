import { describe, expect, it } from "vitest";
import { afterEpoch, isExhausted, notBegun, scoreOf } from "../../src/training/earlyStopping.ts";
import type { CellMetric } from "../../src/training/events.ts";
import { defaultHyperParameters, type Selection } from "../../src/training/hyperParameters.ts";
import { hyperParameters, newRecording, train } from "./tinyTraining.ts";

const byMeanAuc = defaultHyperParameters("RECOMMENDED").selection;

const metric = (scenario: string, name: CellMetric["name"], value: number | null): CellMetric => {
  return {
    split: "validation",
    scenario,
    task: "click",
    name,
    value,
    low: null,
    high: null,
    reason: null,
    groups: null,
  };
};

describe("the score of an epoch", () => {
  const metrics = [
    metric("home", "auc", 0.8),
    metric("home", "logloss", 0.5),
    metric("search", "auc", 0.6),
    metric("search", "logloss", 0.3),
    metric("live", "auc", null),
  ];
  const score = (selection: Partial<Selection>) => scoreOf(metrics, { ...byMeanAuc, ...selection });

  it("is the mean over the cells that have the metric", () => {
    expect(score({})).toBeCloseTo(0.7, 12);
  });

  it("is that of the worst cell on request", () => {
    expect(score({ over: "WORST" })).toBe(0.6);
  });

  it("is a weighted mean on request, in which cells without a weight or a value do not count", () => {
    const weights = [
      { scenario: "home", task: "click", weight: 1 },
      { scenario: "search", task: "click", weight: 3 },
      { scenario: "live", task: "click", weight: 9 },
    ];
    expect(score({ over: "WEIGHTED", weights })).toBeCloseTo(0.65, 12);
  });

  it("of logloss is its negative, so that higher is better, and the worst cell that with the highest", () => {
    expect(score({ metric: "logloss" })).toBeCloseTo(-0.4, 12);
    expect(score({ metric: "logloss", over: "WORST" })).toBe(-0.5);
  });

  it("does not exist where no cell has the metric", () => {
    expect(scoreOf([metric("live", "auc", null)], byMeanAuc)).toBeNull();
  });
});

describe("early stopping", () => {
  const epochsUntilExhausted = (
    scores: readonly (number | null)[],
    patience: number,
    minimumDifference = 0,
  ): number => {
    let state = notBegun;
    for (const [epoch, score] of scores.entries()) {
      state = afterEpoch(state, epoch, score, { ...byMeanAuc, minimumDifference });
      if (isExhausted(state, epoch + 1, patience)) return epoch + 1;
    }
    return Infinity;
  };

  it("with patience 0 comes after the first epoch that is not better", () => {
    expect(epochsUntilExhausted([0.5, 0.6, 0.6], 0)).toBe(3);
  });

  it("waits for as many more epochs as the patience says, anew after each rise", () => {
    expect(epochsUntilExhausted([0.5, 0.4, 0.6, 0.5, 0.5, 0.5], 2)).toBe(6);
  });

  it("does not count a rise of no more than the minimum difference, though many of them add up to one", () => {
    expect(epochsUntilExhausted([0.5, 0.505, 0.509], 1, 0.01)).toBe(3);
    expect(epochsUntilExhausted([0.5, 0.505, 0.511, 0.511, 0.511], 1, 0.01)).toBe(5);
  });

  it("never comes where there is no score", () => {
    expect(epochsUntilExhausted([null, null, null], 0)).toBe(Infinity);
  });
});

describe("a training that is selected by the worst logloss", () => {
  it("keeps the epoch in which that was lowest", async () => {
    const selection: Selection = { ...byMeanAuc, metric: "logloss", over: "WORST" };
    const numbers = {
      ...hyperParameters,
      learningRate: 0.1,
      maxEpochs: 5,
      patience: 5,
      selectionTolerance: 0,
      selection,
    };
    const record = newRecording();
    await train({ hyperParameters: numbers, record });
    const worst = (metrics: readonly CellMetric[]) => scoreOf(metrics, selection)!;
    const history = record.events.slice(0, -1).map(({ metrics }) => worst(metrics));
    expect(record.events.slice(0, -1).map(({ summary }) => summary!.score)).toEqual(history);
    expect(worst(record.events.at(-1)!.metrics.filter(({ split }) => split === "validation"))).toBe(
      Math.max(...history),
    );
  });
});
