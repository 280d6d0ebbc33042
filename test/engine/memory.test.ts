import { describe, expect, it } from "vitest";
import { Memory, type TrainedArray } from "../../src/engine/memory.ts";
import { createRandom } from "../../src/random.ts";
import * as reference from "./referenceKernels.ts";

const random = createRandom(1, "memory test");
const normal = (array: Float32Array): Float32Array => array.map(() => random.normal());

describe("native memory", () => {
  it("gives out zeroed arrays that do not overlap", () => {
    const memory = Memory.holding([3, 5]);
    const [a, b] = [memory.float32(3), memory.int32(5)];
    a.fill(7);
    b.fill(9);
    expect([...a]).toEqual([7, 7, 7]);
    expect([...b]).toEqual([9, 9, 9, 9, 9]);
  });

  it("refuses a block that does not fit into what was asked for", () => {
    const memory = Memory.holding([16]);
    expect(() => memory.float32(100_000)).toThrow("memory: a block of 100000 values does not fit");
  });

  // Widths that fill whole vectors and widths that leave a tail.
  it.each([1, 4, 6, 16, 19])("gathers and scatters rows of %i values as the reference does", (dim) => {
    const [rows, count] = [11, 40];
    const memory = Memory.holding([...[rows, rows, count, count].map((n) => n * dim), count]);
    const ids = memory.int32(count);
    ids.forEach((_, i) => (ids[i] = random.bits() % rows));
    const table = memory.float32(rows * dim);
    table.set(normal(table));
    const out = memory.float32(count * dim);
    memory.gather(ids, table, dim, out);
    expect([...out]).toEqual([...reference.gather(ids, table, dim)]);

    const gradient = memory.float32(rows * dim);
    const expected = new Float32Array(rows * dim);
    memory.scatterAdd(ids, out, dim, gradient);
    reference.scatterAdd(ids, out, dim, expected);
    expect([...gradient]).toEqual([...expected]); // the same order of additions: the same bits
  });

  it("takes Adam steps as the reference does, to 1e-6, and leaves the gradient at zero", () => {
    const n = 37;
    const memory = Memory.holding([n, n, n, n]);
    const native = memory.trained(n);
    native.values.set(normal(native.values));
    const zeros = (): Float32Array => new Float32Array(n);
    const slow: TrainedArray = { values: native.values.slice(), gradient: zeros(), moment1: zeros(), moment2: zeros() };
    for (let step = 1; step <= 5; step++) {
      const gradient = normal(native.gradient);
      native.gradient.set(gradient);
      slow.gradient.set(gradient);
      const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, learningRate: 0.01, l2: 0.1, step };
      memory.adam(native, options);
      reference.adam(slow, options);
    }
    native.values.forEach((value, i) => expect(Math.abs(value - slow.values[i]!)).toBeLessThan(1e-6));
    expect([...native.gradient]).toEqual(Array.from({ length: n }, () => 0));
  });

  it("draws dropout masks that keep the mean, differ from step to step and repeat with the state", () => {
    const n = 40_000;
    const memory = Memory.holding([n, 16]);
    const [mask, state] = [memory.float32(n), memory.int32(16)];
    const seed = Int32Array.from({ length: 16 }, () => random.bits());
    state.set(seed);
    memory.dropoutMask(mask, 0.3, state);
    const first = mask.slice();
    expect(new Set(first)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
    expect(first.reduce((sum, x) => sum + x, 0) / n).toBeCloseTo(1, 1);
    expect(first.filter((x) => x === 0).length / n).toBeCloseTo(0.3, 1);
    memory.dropoutMask(mask, 0.3, state);
    expect([...mask.subarray(0, 100)]).not.toEqual([...first.subarray(0, 100)]);
    state.set(seed);
    memory.dropoutMask(mask, 0.3, state);
    expect(mask).toEqual(first);
  });
});
