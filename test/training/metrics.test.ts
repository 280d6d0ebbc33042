import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { areaUnderCurve, logLoss } from "../../src/training/metrics.ts";

const floats = (...values: number[]): Float32Array => Float32Array.from(values);

describe("the area under the ROC curve", () => {
  it("is 1 when every positive scores above every negative, 0 the other way round", () => {
    expect(areaUnderCurve(floats(0.1, 0.4, 0.8, 0.9), floats(0, 0, 1, 1))).toBe(1);
    expect(areaUnderCurve(floats(0.1, 0.4, 0.8, 0.9), floats(1, 1, 0, 0))).toBe(0);
  });

  it("counts ties as half", () => {
    expect(areaUnderCurve(floats(0.5, 0.5), floats(0, 1))).toBe(0.5);
    expect(areaUnderCurve(floats(0.2, 0.5, 0.5, 0.7), floats(0, 0, 1, 1))).toBe(0.875);
  });

  it("does not exist without positives or without negatives", () => {
    expect(areaUnderCurve(floats(0.2, 0.5), floats(1, 1))).toBeNull();
    expect(areaUnderCurve(floats(0.2, 0.5), floats(0, 0))).toBeNull();
    expect(areaUnderCurve(floats(), floats())).toBeNull();
  });

  it("equals the count over all pairs on random scores with ties", () => {
    const random = createRandom(5, "auc");
    const scores = new Float32Array(300).map(() => Math.round(random.uniform() * 20) / 20);
    const labels = scores.map((s) => Number(random.uniform() < s));
    let [won, pairs] = [0, 0];
    for (const [i, a] of scores.entries())
      for (const [j, b] of scores.entries())
        if (labels[i] === 1 && labels[j] === 0) {
          pairs++;
          won += a > b ? 1 : a === b ? 0.5 : 0;
        }
    expect(areaUnderCurve(scores, labels)).toBeCloseTo(won / pairs, 12);
  });
});

describe("the log-loss", () => {
  it("is the mean of −ln of the probability given to what happened", () => {
    expect(logLoss(floats(0.5, 0.25), floats(1, 0))).toBeCloseTo((Math.log(2) - Math.log(0.75)) / 2, 6);
  });

  it("stays finite when a certain prediction was wrong", () => {
    expect(logLoss(floats(0), floats(1))).toBeCloseTo(36.04, 2);
  });

  it("does not exist without rows", () => {
    expect(logLoss(floats(), floats())).toBeNull();
  });
});
