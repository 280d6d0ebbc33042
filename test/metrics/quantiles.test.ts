import { describe, expect, it } from "vitest";
import { normalQuantile } from "../../src/metrics/normal.ts";
import { studentQuantile } from "../../src/metrics/student.ts";

/** To a relative 1e-9. */
function expectClose(value: number, expected: number): void {
  expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected));
}

describe("a quantile of the normal distribution", () => {
  it.each([
    [0.5, 0],
    [0.6, 0.2533471031357998],
    [0.95, 1.6448536269514715],
    [0.975, 1.9599639845400536],
    [0.999, 3.090232306167813],
    [0.00001, -4.264890793922825],
    [1e-12, -7.034483825301132],
  ])("at %d is that of the tables: %d", (p, expected) => expectClose(normalQuantile(p), expected));
});

describe("a quantile of Student's distribution", () => {
  it.each([
    [0.975, 1, 12.706204736174694],
    [0.975, 2, 4.302652729749462],
    [0.95, 3, 2.353363434801823],
    [0.975, 5, 2.5705818356363146],
    [0.995, 10, 3.169272672616951],
    [0.975, 30, 2.0422724563012378],
    [0.9, 7.5, 1.405211846415953],
    [0.025, 4, -2.7764451051977943],
    [0.9995, 1.5, 82.84744670366369],
    [0.999999, 12.25, 8.38932487762545],
    [0.975, 1000, 1.962339080826408],
    [0.999, 2500.5, 3.0934948577516703],
    [0.975, 100000, 1.9599877075346093],
  ])("at %d with %d degrees of freedom is that of the tables: %d", (p, degrees, expected) =>
    expectClose(studentQuantile(p, degrees), expected),
  );

  it("is tan(π(p − ½)) with one degree of freedom, and has a closed form with two", () => {
    for (const p of [0.01, 0.3, 0.7, 0.9999]) {
      expectClose(studentQuantile(p, 1), Math.tan(Math.PI * (p - 0.5)));
      expectClose(studentQuantile(p, 2), (2 * p - 1) / Math.sqrt(2 * p * (1 - p)));
    }
  });

  it("is 0 at a half, and the normal one with infinitely many degrees of freedom", () => {
    expect(studentQuantile(0.5, 7)).toBe(0);
    expect(studentQuantile(0.975, Infinity)).toBe(normalQuantile(0.975));
  });

  it("goes on smoothly where the method changes, at 1000 degrees of freedom", () => {
    for (const p of [0.6, 0.975, 0.99999]) expectClose(studentQuantile(p, 1000 + 1e-7), studentQuantile(p, 1000));
  });
});
