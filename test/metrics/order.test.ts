import { describe, expect, it } from "vitest";
import { ascending } from "../../src/metrics/order.ts";
import { createRandom } from "../../src/random.ts";
import { floats } from "./madeCells.ts";

/** The built-in sort, which is stable too. */
function plainOrder(scores: Float32Array): number[] {
  return [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
}

describe("rows by ascending score", () => {
  it("are the rows from the lowest score to the highest", () => {
    expect([...ascending(floats(0.3, 0.1, 0.2)).order]).toEqual([1, 2, 0]);
  });

  it("keep their order where scores are equal", () => {
    expect([...ascending(floats(0.5, 0.1, 0.5, 0.1, 0.5)).order]).toEqual([1, 3, 0, 2, 4]);
  });

  it("come in the order of a plain sort for negative zero, denormals, negative and infinite scores", () => {
    const scores = floats(1, -0, 1e-45, 0, -1e-45, -1, 3e38, -3e38, 1e-38, -1e-38, 0, -0, Infinity, -Infinity, 1);
    expect([...ascending(scores).order]).toEqual(plainOrder(scores));
  });

  it("come in the order of a plain sort for random bits, and for random probabilities with many ties", () => {
    const random = createRandom(3, "order");
    const bits = Float32Array.from(
      new Float32Array(Uint32Array.from({ length: 5000 }, random.bits).buffer).filter((x) => !Number.isNaN(x)),
    );
    const tied = Float32Array.from({ length: 5000 }, () => Math.round(random.uniform() * 50) / 50);
    for (const scores of [bits, tied]) expect([...ascending(scores).order]).toEqual(plainOrder(scores));
  });

  it("have keys that are equal exactly where the scores are, zeros of either sign included", () => {
    const { keys } = ascending(floats(0.5, -0, 0, 0.5, 0.25));
    expect(keys[0]).toBe(keys[1]);
    expect(keys[3]).toBe(keys[4]);
    expect(new Set(keys).size).toBe(3);
  });

  it("are none of none, and leave the scores as they were, in part of a buffer too", () => {
    expect([...ascending(floats()).order]).toEqual([]);
    const part = floats(9, 0.2, 0.1, 9).subarray(1, 3);
    expect([...ascending(part).order]).toEqual([1, 0]);
    expect([...part]).toEqual([...floats(0.2, 0.1)]);
  });
});
