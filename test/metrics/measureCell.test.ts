import { describe, expect, it } from "vitest";
import { componentVariance, delong } from "../../src/metrics/delong.ts";
import { type CellRows, measureCell, measureQuickly } from "../../src/metrics/measureCell.ts";
import type { Measurement, MetricName } from "../../src/metrics/measurement.ts";
import { ascending } from "../../src/metrics/order.ts";
import { createRandom } from "../../src/random.ts";
import { calibrated, floats, tiedCell } from "./madeCells.ts";
import { average, slowAuc, slowCalibrationError, slowCovariance, slowGroupedAuc, slowLosses } from "./slowMetrics.ts";

const exactly = 1e-12;
const seeds = [1, 2, 3, 4, 5];

describe("the metrics of a cell", () => {
  it("are six, each with a value, an interval around it and no reason", () => {
    const { probabilities, labels, groups } = tiedCell(1);
    const measurements = measureCell({ probabilities, labels, groups });
    expect(measurements.map(({ name }) => name)).toEqual([
      "auc",
      "logloss",
      "calibration",
      "ece",
      "normalisedEntropy",
      "gauc",
    ]);
    for (const { value, low, high, reason } of measurements) {
      expect(reason).toBeNull();
      expect(low!).toBeLessThan(value!);
      expect(high!).toBeGreaterThan(value!);
    }
  });

  it("are five without groups, and bitwise the same every time", () => {
    const { probabilities, labels } = tiedCell(2, 3000);
    const once = measureCell({ probabilities, labels });
    expect(once.map(({ name }) => name)).not.toContain("gauc");
    expect(measureCell({ probabilities, labels })).toEqual(once);
  });

  it("measured quickly are AUC and log-loss, the same values without intervals", () => {
    const cell = tiedCell(3, 3000);
    const whole = measureCell(cell);
    expect(measureQuickly(cell)).toEqual(whole.slice(0, 2).map((m) => ({ ...m, low: null, high: null })));
  });

  it("do not depend on the order of rows, as far as the values go", () => {
    const { probabilities, labels, groups } = tiedCell(4);
    const turned = measureCell({
      probabilities: probabilities.toReversed(),
      labels: labels.toReversed(),
      groups: groups.toReversed(),
    });
    for (const [i, { value }] of measureCell({ probabilities, labels, groups }).entries())
      expectNear(turned[i]!.value, value!);
  });
});

describe("the AUC", () => {
  it("is 1 when every positive scores above every negative, 0 the other way round, and counts ties as half", () => {
    const scores = floats(0.1, 0.4, 0.8, 0.9);
    expect(metric("auc", { probabilities: scores, labels: floats(0, 0, 1, 1) }).value).toBe(1);
    expect(metric("auc", { probabilities: scores, labels: floats(1, 1, 0, 0) }).value).toBe(0);
    expect(metric("auc", { probabilities: floats(0.5, 0.5), labels: floats(0, 1) }).value).toBe(0.5);
    expect(metric("auc", { probabilities: floats(0.2, 0.5, 0.5, 0.7), labels: floats(0, 0, 1, 1) }).value).toBe(0.875);
  });

  it.each(seeds)("equals the count over all pairs to 1e-12 on random scores with ties (seed %d)", (seed) => {
    const { probabilities, labels } = tiedCell(seed);
    expectNear(metric("auc", { probabilities, labels }).value, slowAuc(probabilities, labels));
  });

  it.each(seeds)("has DeLong's variance to 1e-12, of one model and of the difference of two (seed %d)", (seed) => {
    const { probabilities: a, others: b, labels } = tiedCell(seed);
    const [x, y] = [a, b].map((scores) => delong(ascending(scores), labels)!.components);
    expectNear(componentVariance(x!, labels), slowCovariance(a, a, labels));
    const difference = x!.map((value, row) => value - y![row]!);
    expectNear(
      componentVariance(difference, labels),
      slowCovariance(a, a, labels) + slowCovariance(b, b, labels) - 2 * slowCovariance(a, b, labels),
    );
  });

  it("has an interval of 1.96 standard errors on the logit scale", () => {
    const { probabilities, labels } = tiedCell(6);
    const { value, low, high } = metric("auc", { probabilities, labels });
    const logit = (x: number): number => Math.log(x / (1 - x));
    const half =
      (1.959963984540054 * Math.sqrt(slowCovariance(probabilities, probabilities, labels))) / value! / (1 - value!);
    expect(logit(low!)).toBeCloseTo(logit(value!) - half, 10);
    expect(logit(high!)).toBeCloseTo(logit(value!) + half, 10);
  });

  it("of 1, of 0 and of a single positive row still has an interval that is honest about so few rows", () => {
    const perfect = metric("auc", { probabilities: floats(0.1, 0.2, 0.8, 0.9), labels: floats(0, 0, 1, 1) });
    expect(perfect).toMatchObject({ value: 1, high: 1 });
    expect(perfect.low!).toBeLessThan(0.6);
    const inverted = metric("auc", { probabilities: floats(0.1, 0.2, 0.8, 0.9), labels: floats(1, 1, 0, 0) });
    expect(inverted).toMatchObject({ value: 0, low: 0 });
    expect(inverted.high!).toBeCloseTo(1 - perfect.low!, 12);
    const one = metric("auc", { probabilities: floats(0.1, 0.3, 0.2, 0.4, 0.5), labels: floats(0, 0, 0, 1, 0) });
    expect(one.value).toBe(0.75);
    expect(one.low!).toBeGreaterThan(0);
    expect(one.low!).toBeLessThan(0.35);
    expect(one.high!).toBeLessThan(1);
  });

  it("of scores that are all equal is ½ without doubt", () => {
    const same = { probabilities: floats(0.3, 0.3, 0.3, 0.3), labels: floats(0, 1, 1, 0) };
    expect(metric("auc", same)).toMatchObject({ value: 0.5, low: 0.5, high: 0.5 });
  });
});

describe("the log-loss", () => {
  it("is the mean of −ln of the probability given to what happened", () => {
    const { value } = metric("logloss", { probabilities: floats(0.5, 0.25), labels: floats(1, 0) });
    expectNear(value, (Math.log(2) - Math.log(0.75)) / 2);
  });

  it.each(seeds)("equals the plain mean to 1e-12, probabilities of 0 and 1 included (seed %d)", (seed) => {
    const { probabilities, labels } = tiedCell(seed);
    expectNear(metric("logloss", { probabilities, labels }).value, average(slowLosses(probabilities, labels)));
  });

  it("stays finite when a certain prediction was wrong", () => {
    expect(metric("logloss", { probabilities: floats(0), labels: floats(1) }).value).toBeCloseTo(36.04, 2);
  });
});

describe("calibration", () => {
  it("is predicted over actual positives", () => {
    const cell = { probabilities: floats(0.5, 0.25, 0.75), labels: floats(1, 0, 0) };
    expect(metric("calibration", cell).value).toBe(1.5);
  });

  it("by bins of equal numbers of rows is the ece: with up to 20 rows, the mean distance of p and label", () => {
    const cell = { probabilities: floats(0.5, 0.25, 0.75), labels: floats(1, 0, 0) };
    expectNear(metric("ece", cell).value, (0.5 + 0.25 + 0.75) / 3);
  });

  it.each(seeds)("by bins never divides equal scores, and equals the slow one to 1e-12 (seed %d)", (seed) => {
    const tied = tiedCell(seed);
    const { probabilities, labels } = calibrated(createRandom(seed, "ece"), 333);
    for (const cell of [tied, { probabilities, labels }])
      expectNear(metric("ece", cell).value, slowCalibrationError(cell.probabilities, cell.labels, 20));
  });
});

describe("the normalised entropy", () => {
  it("is 1 for a model that always says the share of positives", () => {
    const cell = { probabilities: floats(0.25, 0.25, 0.25, 0.25), labels: floats(0, 1, 0, 0) };
    expectNear(metric("normalisedEntropy", cell).value, 1);
  });

  it("is the log-loss over the entropy of the share of positives", () => {
    const { probabilities, labels } = tiedCell(7);
    const share = average([...labels]);
    const entropy = -share * Math.log(share) - (1 - share) * Math.log(1 - share);
    const expected = average(slowLosses(probabilities, labels)) / entropy;
    expectNear(metric("normalisedEntropy", { probabilities, labels }).value, expected);
  });
});

describe("the grouped AUC", () => {
  it("is the AUC within groups weighted by their rows, over groups that have both classes", () => {
    const measurement = metric("gauc", {
      probabilities: floats(0.1, 0.9, 0.5, 0.4, 0.6, 0.7),
      labels: floats(0, 1, 1, 0, 1, 1),
      groups: Int32Array.of(0, 0, 3, 3, 3, 1), // 1 has one class, 2 no row
    });
    expect(measurement).toMatchObject({ value: 1, groups: 2 });
  });

  it.each(seeds)("equals the slow one to 1e-12 on random scores with ties (seed %d)", (seed) => {
    const { probabilities, labels, groups } = tiedCell(seed);
    const expected = slowGroupedAuc(probabilities, labels, groups);
    const measurement = metric("gauc", { probabilities, labels, groups });
    expectNear(measurement.value, expected.value);
    expect(measurement.groups).toBe(expected.groups);
  });

  it("with one group is the AUC, without an interval: nothing is known of other groups", () => {
    const { probabilities, labels } = tiedCell(8);
    const measurement = metric("gauc", { probabilities, labels, groups: new Int32Array(labels.length) });
    expectNear(measurement.value, slowAuc(probabilities, labels));
    expect(measurement).toMatchObject({ groups: 1, low: null, high: null });
  });
});

function metric(name: MetricName, cell: CellRows): Measurement {
  return measureCell(cell).find((measurement) => measurement.name === name)!;
}

function expectNear(value: number | null, expected: number): void {
  expect(Math.abs(value! - expected)).toBeLessThanOrEqual(exactly);
}
