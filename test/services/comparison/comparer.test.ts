import { describe, expect, it } from "vitest";
import { createComparer } from "../../../src/services/comparison/comparer.ts";
import type { ComparedCells, ComparisonOrder } from "../../../src/services/comparison/comparisonOrder.ts";

const order = (path: string): ComparisonOrder => {
  return { testFile: { path, sha256: path }, shape: { scenarios: [], tasks: [] }, cells: [] };
};

/** A comparer whose work ends when the test says so. */
function held() {
  const begun: { path: string; end: (error?: Error) => void }[] = [];
  const comparer = createComparer(
    ({ testFile }) =>
      new Promise<ComparedCells>((resolve, reject) => {
        begun.push({ path: testFile.path, end: (error) => (error ? reject(error) : resolve([])) });
      }),
  );
  return { begun, comparer, paths: () => begun.map(({ path }) => path) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the comparer", () => {
  it("gives what the work gives", async () => {
    const { comparer, begun } = held();
    const result = comparer.compare(order("a"));
    begun[0]!.end();
    expect(await result).toEqual([]);
  });

  it("works at two at a time, in the order they were asked", async () => {
    const { comparer, begun, paths } = held();
    const results = ["a", "b", "c", "d"].map((path) => comparer.compare(order(path)));
    await settled();
    expect(paths()).toEqual(["a", "b"]);
    begun[1]!.end();
    await settled();
    expect(paths()).toEqual(["a", "b", "c"]);
    begun[0]!.end(new Error("broken"));
    await expect(results[0]).rejects.toThrow("broken");
    await settled();
    expect(paths()).toEqual(["a", "b", "c", "d"]);
    for (const { end } of begun) end();
    await Promise.all(results.slice(1));
  });

  it("does the same work once, while it lasts and after", async () => {
    const { comparer, begun, paths } = held();
    const results = [comparer.compare(order("a")), comparer.compare(order("a"))];
    begun[0]!.end();
    await Promise.all(results);
    await comparer.compare(order("a"));
    expect(paths()).toEqual(["a"]);
  });

  it("does work again that has failed", async () => {
    const { comparer, begun, paths } = held();
    const failed = comparer.compare(order("a"));
    begun[0]!.end(new Error("broken"));
    await expect(failed).rejects.toThrow("broken");
    const again = comparer.compare(order("a"));
    begun[1]!.end();
    expect(await again).toEqual([]);
    expect(paths()).toEqual(["a", "a"]);
  });

  it("forgets what was asked longest ago", async () => {
    const { comparer, begun, paths } = held();
    for (let i = 0; i <= 100; i++) {
      const result = comparer.compare(order(`${i}`));
      begun.at(-1)!.end();
      await result;
    }
    await comparer.compare(order("100"));
    expect(paths()).toHaveLength(101);
    void comparer.compare(order("0"));
    expect(paths()).toHaveLength(102);
  });

  it("refuses more than it can let wait, but not what it knows", async () => {
    const { comparer, paths } = held();
    for (let i = 0; i < 52; i++) void comparer.compare(order(`${i}`));
    expect(() => comparer.compare(order("one more"))).toThrow("comparison: 50 comparisons wait already");
    void comparer.compare(order("0"));
    expect(paths()).toEqual(["0", "1"]);
  });
});
