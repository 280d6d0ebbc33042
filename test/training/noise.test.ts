import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { fillNormal } from "../../src/training/noise.ts";

describe("noise", () => {
  const drawn = (seed: number, length = 200_001): Float32Array => {
    const values = new Float32Array(length);
    fillNormal(values, 2, createRandom(seed, "noise"));
    return values;
  };

  it("has mean 0, the standard deviation asked for, and the shares of a normal distribution within one and two of it", () => {
    const values = drawn(1);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    const within = (bound: number): number => values.filter((x) => Math.abs(x) < bound).length / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02); // 4 standard errors
    expect(Math.abs(Math.sqrt(variance) - 2)).toBeLessThan(0.015);
    expect(Math.abs(within(2) - 0.6827)).toBeLessThan(0.005);
    expect(Math.abs(within(4) - 0.9545)).toBeLessThan(0.003);
  });

  it("is the same for the same stream and another for another, and neighbours have nothing to do with each other", () => {
    expect(drawn(1, 5)).toEqual(drawn(1, 5));
    expect(drawn(1, 5)).not.toEqual(drawn(2, 5));
    const values = drawn(3);
    const product = values.subarray(1).reduce((sum, x, i) => sum + x * values[i]!, 0) / (values.length - 1) / 4;
    expect(Math.abs(product)).toBeLessThan(0.01);
  });
});
