/** Do the 95 % intervals hold what they promise? Many small made samples, of which the true figure is known. */
import { describe, expect, it } from "vitest";
import { aucInterval } from "../../src/metrics/aucInterval.ts";
import { delong } from "../../src/metrics/delong.ts";
import { groupedAuc } from "../../src/metrics/groupedAuc.ts";
import { measureCell } from "../../src/metrics/measureCell.ts";
import { measured, type Measurement, type MetricName } from "../../src/metrics/measurement.ts";
import { ascending } from "../../src/metrics/order.ts";
import { createRandom } from "../../src/random.ts";
import { binormal, binormalAuc, calibrated } from "./madeCells.ts";
import { average, covariance, slowLosses } from "./slowMetrics.ts";

const samples = 500;

/** Metrics of the samples, by name. */
function measurements(draw: (sample: number) => Measurement[]): (name: MetricName) => Measurement[] {
  const all = Array.from({ length: samples }, (_, sample) => draw(sample));
  return (name) => all.map((cell) => cell.find((measurement) => measurement.name === name)!);
}

function coverage(intervals: readonly Measurement[], truth: number): number {
  return average(intervals.map(({ low, high }) => Number(low! <= truth && truth <= high!)));
}

function expectFair(share: number): void {
  expect(share).toBeGreaterThanOrEqual(0.92);
  expect(share).toBeLessThanOrEqual(0.98);
}

describe("of 500 intervals, 92 to 98 % cover", () => {
  it("the true AUC, in samples of 150 rows", () => {
    const random = createRandom(1, "auc");
    const drawn = measurements(() => {
      const { probabilities, labels } = binormal(random, 150);
      const result = delong(ascending(probabilities), labels)!;
      return [measured("auc", result.auc, aucInterval(result, labels))];
    });
    expectFair(coverage(drawn("auc"), binormalAuc));
  });

  it("the true GAUC, in samples of 60 groups of 12 rows", () => {
    const random = createRandom(2, "gauc");
    const groups = Int32Array.from({ length: 720 }, (_, row) => row % 60);
    const drawn = measurements(() => {
      const { probabilities, labels } = binormal(random, 720);
      return [groupedAuc(ascending(probabilities), labels, groups)];
    });
    expectFair(coverage(drawn("gauc"), binormalAuc));
  });

  describe("the true figures of a calibrated model, in samples of 300 rows", () => {
    const random = createRandom(3, "calibrated");
    const drawn = measurements(() => measureCell(calibrated(random, 300)));
    // p is uniform in [0.05, 0.95): the mean of its entropy by the midpoint rule.
    const entropy = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    const logloss = average(Array.from({ length: 10_000 }, (_, i) => entropy(0.05 + (0.9 * (i + 0.5)) / 10_000)));

    it("log-loss", () => expectFair(coverage(drawn("logloss"), logloss)));
    it("normalised entropy", () => expectFair(coverage(drawn("normalisedEntropy"), logloss / Math.log(2))));
    it("calibration", () => expectFair(coverage(drawn("calibration"), 1)));
    it("the ece that samples of this size have on average", () => {
      const ece = drawn("ece");
      const share = coverage(ece, average(ece.map(({ value }) => value!)));
      expect(share).toBeGreaterThanOrEqual(0.92);
    });
  });
});

describe("the intervals of rows that share blocks", () => {
  it("are as wide as those of the ordinary bootstrap, to a tenth: the standard error of the log-loss tells", () => {
    const random = createRandom(4, "blocks");
    const ratios = Array.from({ length: 20 }, () => {
      const { probabilities, labels } = calibrated(random, 5000);
      const [, logloss] = measureCell({ probabilities, labels });
      const losses = slowLosses(probabilities, labels);
      const standardError = Math.sqrt(covariance(losses, losses) / losses.length);
      return (logloss!.high! - logloss!.low!) / (2 * 1.96 * standardError);
    });
    expect(Math.abs(average(ratios) - 1)).toBeLessThan(0.1);
  });
});

describe("where DeLong's variance says nothing", () => {
  it("the interval of the AUC errs to the wide side: one positive row among 30", () => {
    const random = createRandom(5, "one positive");
    const drawn = measurements(() => {
      const labels = Float32Array.from({ length: 30 }, (_, row) => Number(row === 0));
      return measureCell({ labels, probabilities: labels.map((y) => 1 / (1 + Math.exp(-y - random.normal()))) });
    });
    expect(coverage(drawn("auc"), binormalAuc)).toBeGreaterThanOrEqual(0.92);
  });
});
