import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { ForwardMode, Params } from "../../src/plugin/contract.ts";
import {
  batchNorm,
  dense,
  denseParams,
  fanInUniform,
  glorotNormal,
  glorotUniform,
  mix,
  mlp,
  ofScenario,
  starDense,
  starDenseParams,
  stopGradient,
} from "../../src/plugin/layers.ts";
import { expectClose } from "#plugin/testing";

beforeAll(() => tf.setBackend("cpu"));

/** A mode that doubles at every dropout site in training and keeps what is written to buffers. */
function modeOf(training: boolean): ForwardMode & { readonly written: Record<string, tf.Tensor> } {
  const written: Record<string, tf.Tensor> = {};
  return {
    training,
    written,
    dropout: (_, x) => (training ? tf.mul(x, 2) : x),
    addNoise: (_, x) => (training ? tf.add(x, 1) : x),
    updateBuffer(name, value) {
      written[name] = value;
    },
  };
}

describe("dense", () => {
  const x = tf.tensor2d([
    [2, 1],
    [0, 2],
  ]);

  it("is x·K + b", () => {
    const p = { "a.kernel": tf.tensor2d([[1], [-1]]), "a.bias": tf.tensor1d([0.5]) };
    expectClose(dense(p, "a", x).arraySync(), [[1.5], [-1.5]]);
  });

  it("declares a Glorot uniform kernel and a zero bias unless told otherwise", () => {
    expect(denseParams("a", 4, 2)).toEqual({
      "a.kernel": { shape: [4, 2], init: { kind: "uniform", limit: 1 } },
      "a.bias": { shape: [2], init: { kind: "constant", value: 0 } },
    });
    expect(denseParams("a", 4, 2, { bias: fanInUniform(4) })["a.bias"]?.init).toEqual({ kind: "uniform", limit: 0.5 });
  });
});

describe("the initialisers", () => {
  it("have the limits and deviations of their definitions", () => {
    expect(glorotUniform(4, 2)).toEqual({ kind: "uniform", limit: 1 });
    expect(glorotNormal(6, 2)).toEqual({ kind: "normal", std: 0.5 });
    expect(fanInUniform(16)).toEqual({ kind: "uniform", limit: 0.25 });
  });
});

describe("mlp", () => {
  const p: Params = {
    "m.0.kernel": tf.tensor2d([[1, -1]]),
    "m.0.bias": tf.tensor1d([0, 0]),
    "m.1.kernel": tf.tensor2d([[-1], [1]]),
    "m.1.bias": tf.tensor1d([1]),
  };

  it("has a ReLU after every layer, the last one too", () => {
    const layer = mlp("m", 1, [2, 1]);
    expectClose(layer.forward(p, tf.tensor2d([[2], [-3]]), modeOf(false)).arraySync(), [[0], [4]]);
  });

  it("declares its layers by number", () => {
    const layer = mlp("m", 3, [2, 1]);
    expect(Object.entries(layer.params).map(([name, { shape }]) => `${name} [${shape}]`)).toEqual([
      "m.0.kernel [3,2]",
      "m.0.bias [2]",
      "m.1.kernel [2,1]",
      "m.1.bias [1]",
    ]);
    expect([layer.buffers, layer.dropout]).toEqual([{}, {}]);
  });

  it("drops out after each ReLU, in training only", () => {
    const layer = mlp("m", 1, [2, 1], { dropout: 0.5 });
    expect(layer.dropout).toEqual({ "m.0": { width: 2, rate: 0.5 }, "m.1": { width: 1, rate: 0.5 } });
    const x = tf.tensor2d([[-3]]);
    expectClose(layer.forward(p, x, modeOf(false)).arraySync(), [[4]]);
    expectClose(layer.forward(p, x, modeOf(true)).arraySync(), [[2 * (2 * 3 + 1)]]);
  });

  it("without layers gives its input back", () => {
    const layer = mlp("m", 3, []);
    expect(layer.params).toEqual({});
    expectClose(layer.forward({}, tf.tensor2d([[-1, 0, 1]]), modeOf(true)).arraySync(), [[-1, 0, 1]]);
  });
});

describe("batchNorm", () => {
  const p: Params = {
    "n.gamma": tf.tensor1d([2]),
    "n.beta": tf.tensor1d([1]),
    "n.mean": tf.tensor1d([10]),
    "n.variance": tf.tensor1d([4]),
  };
  const x = tf.tensor2d([[1], [3]]);

  it("uses the moments of the batch in training", () => {
    expectClose(batchNorm(p, "n", x, modeOf(true)).arraySync(), [[-1], [3]], "normalised", 1e-4);
  });

  it("moves the running moments a tenth of the way, the variance unbiased", () => {
    const mode = modeOf(true);
    batchNorm(p, "n", x, mode);
    expectClose(
      [[mode.written["n.mean"]!, mode.written["n.variance"]!].map((moment) => moment.dataSync()[0]!)],
      [[0.9 * 10 + 0.1 * 2, 0.9 * 4 + 0.1 * 2]],
    );
  });

  it("uses the running moments in evaluation, and leaves them", () => {
    const mode = modeOf(false);
    expectClose(batchNorm(p, "n", x, mode).arraySync(), [[2 * -4.5 + 1], [2 * -3.5 + 1]], "normalised", 1e-4);
    expect(mode.written).toEqual({});
  });
});

describe("starDense", () => {
  it("multiplies the shared kernel by that of the row's scenario, and adds both biases", () => {
    const p: Params = {
      "a.kernel": tf.tensor2d([[2], [3]]),
      "a.bias": tf.tensor1d([1]),
      "a.scenario.kernel": tf.tensor2d([
        [0.5, 1],
        [-1, 1],
      ]),
      "a.scenario.bias": tf.tensor1d([2, 0]),
    };
    const x = tf.tensor2d([
      [1, 2],
      [1, 2],
    ]);
    const scenarios = tf.tensor2d([
      [1, 0],
      [0, 1],
    ]);
    expectClose(starDense(p, "a", x, scenarios).arraySync(), [[1 - 6 + 3], [2 + 6 + 1]]);
  });

  it("declares own kernels of ones for all scenarios side by side", () => {
    const specs = starDenseParams("a", 4, 2, 3);
    expect(Object.entries(specs).map(([name, { shape }]) => `${name} [${shape}]`)).toEqual([
      "a.kernel [4,2]",
      "a.bias [2]",
      "a.scenario.kernel [4,6]",
      "a.scenario.bias [6]",
    ]);
    expect(specs["a.scenario.kernel"]?.init).toEqual({ kind: "constant", value: 1 });
  });
});

describe("ofScenario", () => {
  it("takes each row's part of what lies side by side", () => {
    const wide = tf.tensor2d([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    const scenarios = tf.tensor2d([
      [0, 1],
      [1, 0],
    ]);
    expect(ofScenario(wide, scenarios).arraySync()).toEqual([
      [3, 4],
      [5, 6],
    ]);
  });
});

describe("mix", () => {
  it("weighs tensors row by row", () => {
    const weights = tf.softmax(tf.tensor2d([[0, Math.log(3)]])); // 0.25, 0.75
    expectClose(mix(weights, [tf.tensor2d([[1, 3]]), tf.tensor2d([[5, 7]])]).arraySync(), [[4, 6]]);
  });
});

describe("mix of a single tensor", () => {
  it("has a gradient for the weight and the tensor", () => {
    const [weight, tensor] = [tf.tensor2d([[3]]), tf.tensor2d([[1, 2]])];
    const gradients = tf.grads((w, e) => mix(w as tf.Tensor2D, [e as tf.Tensor2D]))([weight, tensor]);
    expect(gradients.map((gradient) => gradient.arraySync())).toEqual([[[3]], [[3, 3]]]);
  });
});

describe("stopGradient", () => {
  it("passes values on and no gradient", () => {
    const x = tf.tensor1d([1, 2]);
    expect(stopGradient(x).arraySync()).toEqual([1, 2]);
    const gradient = tf.grad((y: tf.Tensor) => tf.sum(tf.mul(y, stopGradient(y))))(x);
    expect(gradient.arraySync()).toEqual([1, 2]); // d(y·c)/dy = c, not 2y
  });
});
