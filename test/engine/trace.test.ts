import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { trace } from "../../src/engine/trace.ts";

describe("tracing a tfjs function", () => {
  it("records a dense layer as one product with its bias inside", () => {
    const graph = trace(({ x, w, b }) => ({ y: tf.relu(tf.add(tf.matMul(x!, w!), b!)) }), {
      x: { shape: [4, 8] },
      w: { shape: [8, 2] },
      b: { shape: [2] },
    });
    expect(graph.print()).toBe(
      [
        "graph(x %0:float32[4,8], w %1:float32[8,2], b %2:float32[2])",
        "  %3:float32[4,2] = Gemm %0 %1 %2 transA=0 transB=0",
        "  %4:float32[4,2] = Relu %3",
        "  return y=%4",
      ].join("\n"),
    );
  });

  it("records gradients like any other computation", () => {
    const graph = trace(
      ({ x, w }) => {
        const { value, grads } = tf.valueAndGrads((k: tf.Tensor) => tf.sum(tf.matMul(x!, k)) as tf.Scalar)([w!]);
        return { loss: value, gradient: grads[0]! };
      },
      { x: { shape: [4, 3] }, w: { shape: [3, 2] } },
    );
    expect(graph.print()).toContain("= Gemm %0 [4,2]{1} transA=1 transB=0");
  });

  it("computes what is asked for twice only once, and nothing that is not asked for", () => {
    const graph = trace(
      ({ x }) => {
        tf.exp(x!);
        return { y: tf.add(tf.tanh(x!), tf.tanh(x!)) };
      },
      { x: { shape: [3] } },
    );
    expect(graph.print().split("\n").slice(1)).toEqual([
      "  %1:float32[3] = Tanh %0",
      "  %2:float32[3] = Add %1 %1",
      "  return y=%2",
    ]);
  });

  it("lets the backward pass of a ReLU read the ReLU's output instead of its input", () => {
    const graph = trace(({ x }) => ({ g: tf.grad((a: tf.Tensor) => tf.sum(tf.square(tf.relu(a))))(x!) }), {
      x: { shape: [3] },
    });
    expect(graph.print()).toContain("%1:float32[3] = Relu %0");
    expect(graph.print()).toContain("HardSigmoid %1");
  });

  it("sums over rows, as bias gradients do, by a product with ones", () => {
    const graph = trace(({ x }) => ({ y: tf.sum(x!, 0) }), { x: { shape: [4, 3] } });
    expect(graph.print().split("\n").slice(1)).toEqual([
      "  %1:float32[1,3] = Gemm [1,4]{1} %0 transA=0 transB=0",
      "  %2:float32[3] = Reshape %1 3",
      "  return y=%2",
    ]);
  });

  it("keeps the batch axis open where an input declares it", () => {
    const graph = trace(({ x }) => ({ y: tf.reshape(x!, [-1, 2, 3]) }), { x: { shape: ["batch", 6] } });
    expect(graph.print()).toContain("%1:float32[B,2,3] = Reshape %0");
  });

  it("leaves the tensors of tfjs as they were", () => {
    const before = tf.memory().numTensors;
    trace(({ x }) => ({ y: tf.softmax(x!) }), { x: { shape: [2, 3] } });
    expect(tf.memory().numTensors).toBe(before);
  });
});
