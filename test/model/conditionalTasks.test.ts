import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engines.ts";
import { composedLogits } from "../../src/model/conditionalTasks.ts";
import { binaryCrossEntropy } from "../../src/model/loss.ts";
import { composedLogit, composeLogits, leadingConditions, type TaskConditions } from "../../src/taskConditions.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

const whole = Array.from({ length: 17 }, (_, i) => 2 * i - 16);
const grid = whole.flatMap((a) => whole.map((b) => [a, b] as const));

/** Composed logits of one row after the other, and the gradient of Σ c·weight. */
async function inTensors(rows: readonly (readonly number[])[], conditions: TaskConditions) {
  const engine = await createEngine("cpu");
  const T = conditions.length;
  const program = await engine.compile(
    ({ logits }) => {
      const [value, gradient] = [
        composedLogits(logits as Tensor2D, conditions),
        tf.grad((x) => tf.sum(composedLogits(x as Tensor2D, conditions)))(logits!),
      ];
      return { value, gradient };
    },
    { logits: { shape: [rows.length, T] } },
  );
  const { value, gradient } = await program.run({ logits: Float32Array.from(rows.flat()) });
  await program.release();
  const perRow = (values: Float32Array): number[][] =>
    rows.map((_, row) => Array.from(values.subarray(row * T, (row + 1) * T)));
  return { value: perRow(value!), gradient: perRow(gradient!) };
}

describe("the composed logit", () => {
  it("is that of the product of both probabilities", () => {
    expect(composedLogit(0, Math.log(3))).toBeCloseTo(Math.log(0.375 / 0.625), 12);
    for (const [a, b] of grid) {
      const product = sigmoid(a) * sigmoid(b);
      expect(sigmoid(composedLogit(a, b))).toBeCloseTo(product, 12);
      // The logarithms of both probabilities, written as in the paper's stable form.
      const [inverse, all] = [Math.exp(-a) + Math.exp(-b) + Math.exp(-a - b), softplus(-a) + softplus(-b)];
      expect(-softplus(-composedLogit(a, b))).toBeCloseTo(-all, 9);
      expect(-softplus(composedLogit(a, b))).toBeCloseTo(Math.log(inverse) - all, 9);
    }
  });

  it("is finite, and never above that of either, however far they are from 0", () => {
    for (const [a, b] of [...grid, [900, -900], [-900, 900], [900, 900], [-900, -900], [40, 3]] as const) {
      const c = composedLogit(a, b);
      expect(Number.isFinite(c)).toBe(true);
      expect(c).toBeLessThanOrEqual(Math.min(a, b) + 1e-12);
    }
    expect(composedLogit(-900, -900)).toBe(-1800);
  });

  it("is the same in tensors", async () => {
    const { value } = await inTensors(grid, [null, 0]);
    for (const [i, [a, b]] of grid.entries()) {
      expect(value[i]![0]).toBe(a);
      expect(Math.abs(value[i]![1]! - composedLogit(a, b))).toBeLessThan(4e-6);
    }
  });

  it("has the gradients σ(−a)/σ(−c) and σ(−b)/σ(−c), at 0 and where both are equal too", async () => {
    const { gradient } = await inTensors(grid, [null, 0]);
    for (const [i, [a, b]] of grid.entries()) {
      const c = composedLogit(a, b);
      // Beside the condition's own logit, whose gradient is 1.
      expect(gradient[i]![0]).toBeCloseTo(1 + sigmoid(-a) / sigmoid(-c), 5);
      expect(gradient[i]![1]).toBeCloseTo(sigmoid(-b) / sigmoid(-c), 5);
    }
  });

  it("is made along chains, whatever the order of the tasks", async () => {
    const rows = [
      [0.5, -1, 2],
      [-3, 4, 0],
    ];
    const conditions = [1, 2, null]; // the first only where the second is 1, the second only where the third is
    const { value } = await inTensors(rows, conditions);
    for (const [i, [a, b, c]] of rows.entries()) {
      const [last, middle] = [sigmoid(c!), sigmoid(c!) * sigmoid(b!)];
      const expected = [middle * sigmoid(a!), middle, last];
      expect(value[i]!.map(sigmoid)).toEqual(expected.map((p) => expect.closeTo(p, 6)));
      const slow = composeLogits(Float64Array.from(rows[i]!), conditions);
      expect(Array.from(slow, sigmoid)).toEqual(expected.map((p) => expect.closeTo(p, 12)));
    }
  });

  it("is the logit itself without a condition", () => {
    tf.tidy(() => {
      const logits = tf.zeros([2, 2]) as Tensor2D;
      expect(composedLogits(logits, undefined)).toBe(logits);
      expect(composedLogits(logits, [null, null])).toBe(logits);
    });
  });

  it("cannot be made where conditions go in a circle", () => {
    expect(() => composeLogits(new Float64Array(3), [1, 2, 0])).toThrow(
      "conditions: expected none in a circle, got [1,2,0]",
    );
  });
});

describe("the loss of a conditional task", () => {
  /** By task, and the gradient of the second one's with respect to the own logits. */
  async function losses(logits: readonly number[], labels: readonly number[]) {
    const engine = await createEngine("cpu");
    const loss = (x: Tensor2D, y: Tensor2D) => binaryCrossEntropy(composedLogits(x, [null, 0]), y);
    const program = await engine.compile(
      ({ x, y }) => ({
        value: loss(x as Tensor2D, y as Tensor2D),
        gradient: tf.grad((z) => tf.slice(loss(z as Tensor2D, y as Tensor2D), [1], [1]).asScalar())(x!),
      }),
      { x: { shape: [1, 2] }, y: { shape: [1, 2] } },
    );
    const { value, gradient } = await program.run({ x: Float32Array.from(logits), y: Float32Array.from(labels) });
    await program.release();
    return { value: Array.from(value!), gradient: Array.from(gradient!) };
  }

  it("is the log-loss of the product over all rows: a click of 50 % and a conversion of 37.5 %", async () => {
    const { value } = await losses([0, Math.log(3)], [1, 0]);
    expect(value[0]! + value[1]!).toBeCloseTo(1.163151, 6);
  });

  it("tells the own logit less and less where the condition is all but impossible, and the condition always something", async () => {
    const sizes: number[] = [];
    for (const a of [0, -4, -8, -12]) {
      const { gradient } = await losses([a, 1], [0, 0]);
      const expected = sigmoid(composedLogit(a, 1)) * (sigmoid(-1) / sigmoid(-composedLogit(a, 1)));
      expect(gradient[1]).toBeCloseTo(expected, 5);
      sizes.push(gradient[1]!);
    }
    expect(sizes.every((size, i) => i === 0 || size < sizes[i - 1]!)).toBe(true);
    expect(sizes.at(-1)).toBeLessThan(1e-5);
    const { gradient } = await losses([-12, 1], [1, 1]);
    expect(gradient[0]).toBeCloseTo(-1, 4); // where both happened nevertheless: no probability was rounded to 0
  });
});

describe("conditions of the first tasks", () => {
  it("are those among them", () => {
    expect(leadingConditions([null, 0, 1], 2)).toEqual([null, 0]);
    expect(leadingConditions([null, null, 1], 2)).toBeUndefined();
    expect(leadingConditions(undefined, 2)).toBeUndefined();
  });
});
