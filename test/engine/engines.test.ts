import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { type Engine, type InputSpecs, type TensorFunction } from "../../src/engine/engine.ts";
import { createEngine, listEngines } from "../../src/engine/engines.ts";
import { createRandom } from "../../src/random.ts";

const random = createRandom(3, "engines test");

function inputsFor(specs: InputSpecs, batch = 4): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => {
      const size = shape.reduce<number>((n, d) => n * (d === "batch" ? batch : d), 1);
      return [name, new Float32Array(size).map(() => random.normal())];
    }),
  );
}

const xy: InputSpecs = { x: { shape: [4, 6] }, y: { shape: [4, 6] } };

/** Name, function of x [4, 6] and y [4, 6]; each is compared with its gradients. */
const operations: readonly [string, (x: tf.Tensor2D, y: tf.Tensor2D) => tf.Tensor][] = [
  ["add with a row", (x, y) => tf.add(x, tf.sum(y, 0))],
  ["sub and div", (x, y) => tf.div(tf.sub(x, y), tf.add(tf.square(y), 1))],
  ["maximum and minimum", (x, y) => tf.add(tf.maximum(x, y), tf.minimum(x, 0.1))],
  ["matMul transposed", (x, y) => tf.matMul(x, y, false, true)],
  ["batched matMul", (x, y) => tf.matMul(tf.reshape(x, [2, 2, 6]), tf.reshape(y, [2, 6, 2]))],
  ["relu, elu, leakyRelu", (x) => tf.add(tf.relu(x), tf.add(tf.elu(x), tf.leakyRelu(x, 0.1)))],
  ["sigmoid, tanh, softplus", (x) => tf.add(tf.sigmoid(x), tf.mul(tf.tanh(x), tf.softplus(x)))],
  ["exp, log1p, abs, neg", (x) => tf.log1p(tf.exp(tf.neg(tf.abs(x))))],
  ["sqrt and rsqrt", (x) => tf.add(tf.sqrt(tf.add(tf.square(x), 1)), tf.rsqrt(tf.add(tf.square(x), 1)))],
  ["pow", (x) => tf.pow(tf.add(tf.square(x), 0.5), 1.5)],
  ["softmax", (x) => tf.softmax(x)],
  ["logSoftmax", (x) => tf.logSoftmax(x)],
  ["mean, max over an axis", (x) => tf.add(tf.mean(x, 1), tf.max(x, 1))],
  ["concat and split", (x, y) => tf.mul(...(tf.split(tf.concat([x, y], 1), 2, 1) as [tf.Tensor, tf.Tensor]))],
  ["stack and unstack", (x, y) => tf.unstack(tf.stack([x, tf.mul(x, y)], 1), 1)[1]!],
  [
    "slice and pad",
    (x) =>
      tf.pad(tf.slice(x, [1, 2], [2, 3]), [
        [1, 0],
        [0, 2],
      ]),
  ],
  ["transpose and reshape", (x) => tf.reshape(tf.transpose(x), [3, 8])],
  ["tile and expandDims", (x) => tf.tile(tf.expandDims(x, 1), [1, 3, 1])],
  ["broadcastTo", (x) => tf.broadcastTo(tf.mean(x, 0, true), [4, 6])],
  ["gather", (x) => tf.gather(x, tf.tensor1d([2, 0, 2], "int32"))],
  ["where", (x, y) => tf.where(tf.greater(x, y), x, tf.mul(y, 2))],
  ["clipByValue", (x) => tf.clipByValue(x, -0.5, 0.5)],
  ["oneHot", (x) => tf.mul(tf.oneHot(tf.tensor1d([0, 2, 1, 5], "int32"), 6), x)],
  ["cumsum", (x) => tf.cumsum(x, 1)],
  ["squaredDifference", (x, y) => tf.squaredDifference(x, y)],
  ["addN", (x, y) => tf.addN([x, y, x])],
  ["prod", (x) => tf.prod(x, 1)],
];

const withGradients =
  (operation: (x: tf.Tensor2D, y: tf.Tensor2D) => tf.Tensor): TensorFunction =>
  ({ x, y }) => {
    const output = operation(x as tf.Tensor2D, y as tf.Tensor2D);
    const weights = tf.reshape(tf.cos(tf.range(0, output.size)), output.shape); // any direction but all ones
    const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
      tf.sum(tf.mul(tf.add(operation(a as tf.Tensor2D, b as tf.Tensor2D), tf.mul(tf.sum(tf.mul(a, b)), 0)), weights));
    const [dx, dy] = tf.grads(loss)([x!, y!]);
    return { output: tf.cast(output, "float32"), dx: dx!, dy: dy! };
  };

describe("the compiled engine equals the eager one", () => {
  let compiled: Engine;
  let eager: Engine;
  beforeAll(async () => {
    compiled = await createEngine("compiled");
    eager = await createEngine("cpu");
  });

  // `prod` has its gradient through cumprod, which is not mapped: its value only.
  it.each(operations.filter(([name]) => name !== "prod"))("%s: values and gradients to 1e-5", async (_, operation) => {
    await expectSame(withGradients(operation), xy);
  });

  it("prod: values to 1e-5", async () => {
    await expectSame(({ x }) => ({ output: tf.prod(x!, 1) }), { x: { shape: [4, 6] } });
  });

  it.each([1, 2, 7, 64])("a graph for any batch size run with %i rows", async (batch) => {
    const specs: InputSpecs = { x: { shape: ["batch", 6] }, w: { shape: [6, 3] } };
    const fn: TensorFunction = ({ x, w }) => {
      const h = tf.reshape(tf.relu(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)), [-1, 3, 1]);
      return { h: tf.sum(tf.tile(h, [1, 1, 2]), 2), mean: tf.mean(h, 0) };
    };
    await expectSame(fn, specs, batch);
  });

  it("writes outputs into the arrays it is given", async () => {
    const program = await compiled.compile(({ x }) => ({ y: tf.mul(x!, 2) }), { x: { shape: [3] } });
    const y = new Float32Array(3);
    const outputs = await program.run({ x: Float32Array.of(1, 2, 3) }, { y });
    expect([...y]).toEqual([2, 4, 6]);
    expect(outputs["y"]).toBe(y);
    await program.release();
  });

  it("names the input whose length does not fit", async () => {
    const program = await compiled.compile(({ x }) => ({ y: tf.mul(x!, 2) }), { x: { shape: [3] } });
    await expect(program.run({ x: new Float32Array(4) })).rejects.toThrow(
      "run: input x: expected [3] with 3 values, got 4",
    );
    await expect(program.run({})).rejects.toThrow("run: input x is missing");
  });

  async function expectSame(fn: TensorFunction, specs: InputSpecs, batch?: number): Promise<void> {
    const inputs = inputsFor(specs, batch);
    const [a, b] = await Promise.all(
      [compiled, eager].map(async (engine) => (await engine.compile(fn, specs)).run(inputs)),
    );
    expect(Object.keys(a!)).toEqual(Object.keys(b!));
    for (const [name, values] of Object.entries(b!)) {
      expect(a![name]!.length).toBe(values.length);
      for (const [i, value] of values.entries())
        expect(Math.abs(a![name]![i]! - value), `${name}[${i}]: ${a![name]![i]} against ${value}`).toBeLessThanOrEqual(
          1e-5 * (1 + Math.abs(value)),
        );
    }
  }
});

describe("the list of engines", () => {
  it("has the compiled engine as the default and says why", () => {
    const engines = listEngines();
    expect(engines.map(({ name }) => name)).toEqual(["compiled", "cpu", "wasm", "tensorflow"]);
    expect(engines.filter(({ isDefault }) => isDefault)).toMatchObject([{ name: "compiled", available: true }]);
  });

  it("runs the same function on every engine that is available here", async () => {
    for (const { name, available } of listEngines()) {
      if (!available) {
        await expect(createEngine(name)).rejects.toThrow(`engine ${name}:`);
        continue;
      }
      const program = await (
        await createEngine(name)
      ).compile(({ x }) => ({ y: tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D) }), { x: { shape: [2, 2] } });
      expect([...(await program.run({ x: Float32Array.of(1, 2, 3, 4) }))["y"]!]).toEqual([7, 10, 15, 22]);
    }
  });
});
