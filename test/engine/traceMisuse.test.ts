import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createEagerEngine } from "../../src/engine/eagerEngine.ts";
import { trace } from "../../src/engine/trace.ts";

describe("a function that cannot be traced fails with its cause, and leaves tfjs usable", () => {
  beforeAll(async () => {
    await createEagerEngine("cpu");
  });

  const x = { x: { shape: [64, 32] } };
  const cases: readonly [string, Parameters<typeof trace>[0], string][] = [
    ["values are read", (i) => ({ y: tf.scalar(i["x"]!.dataSync()[0]!) }), "a tensor's values were read"],
    ["random numbers are drawn on the host", (i) => ({ y: tf.dropout(i["x"]!, 0.5) }), "Math.random() was called"],
    [
      "seeded random numbers become data",
      (i) => ({ y: tf.mul(i["x"]!, tf.randomNormal([64, 32], 0, 1, "float32", 7)) }),
      "a constant of shape [64,32]",
    ],
    ["a kernel is not mapped", (i) => ({ y: tf.fft(tf.complex(i["x"]!, i["x"]!)) }), "not registered"],
    ["sizes do not fit", (i) => ({ y: tf.matMul(i["x"]!, i["x"]!) }), "inner sizes 32 and 64 differ"],
  ];

  it.each(cases)("when %s", (_, fn, message) => {
    expect(() => trace(fn, x)).toThrow(message);
    expect(tf.getBackend()).toBe("cpu");
    expect([...tf.add(tf.tensor1d([1]), 1).dataSync()]).toEqual([2]);
  });

  it("when a tensor from outside is used", () => {
    const outside = tf.ones([64, 32]);
    expect(() => trace((i) => ({ y: tf.add(i["x"]!, outside) }), x)).toThrow(
      "a tensor of shape [64,32] made outside the traced function",
    );
    outside.dispose();
  });

  it("when a symbol from one recording is used in another", () => {
    let leaked: tf.Tensor | undefined;
    trace((i) => {
      leaked = tf.keep(tf.relu(i["x"]!));
      return { y: leaked };
    }, x);
    expect(() => trace((i) => ({ y: tf.add(i["x"]!, leaked!) }), x)).toThrow("leaked from another recording");
  });

  it("when the batch size is used as a number in a graph for any batch size", () => {
    const fn: Parameters<typeof trace>[0] = (i) => ({ y: tf.div(i["x"]!, i["x"]!.shape[0]!) });
    expect(() => trace(fn, { x: { shape: ["batch", 2] } })).toThrow("the batch size was used as a number");
  });
});
