/** What a rule says when it is broken, in words that stand alone: no test runner is needed, and every test runner understands it. */
import { AssertionError } from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";

/** Throws AssertionError with the message. */
export function check(isKept: boolean, message: string): asserts isKept {
  if (!isKept) throw new AssertionError({ message, stackStartFn: check });
}

/** Throws AssertionError where they differ in depth: `what: expected [ 1 ], got [ 2 ]`. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const message = `${what}: expected ${shown(expected)}, got ${shown(actual)}`;
  throw new AssertionError({ message, actual, expected, operator: "deepStrictEqual", stackStartFn: checkEqual });
}

/** The same of a list that is to be empty. */
export function checkNone(found: readonly unknown[], what: string): void {
  if (found.length === 0) return;
  throw new AssertionError({ message: `${what}: ${shown(found)}`, stackStartFn: checkNone });
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4, maxArrayLength: 8, breakLength: Infinity });
}
