/** The order in which a training goes through the rows of a split, and copying a batch of them out. */
import { createRandom } from "../random.ts";
import type { Random } from "../random.ts";
import type { SplitRows } from "./spec.ts";

/**
 * Row numbers [rows] in the order of an epoch: the order of the file, or with `shuffle` a permutation that depends on
 * nothing but `rows`, `seed` and `epoch` (Fisher–Yates over sfc32).
 */
export function rowOrder(input: {
  readonly rows: number;
  readonly seed: number;
  readonly epoch: number;
  readonly shuffle: boolean;
}): Uint32Array {
  const order = new Uint32Array(input.rows);
  for (let row = 0; row < input.rows; row++) order[row] = row;
  if (!input.shuffle) return order;
  const random = createRandom(input.seed, `row order of epoch ${input.epoch}`);
  for (let last = input.rows - 1; last > 0; last--) {
    const other = integerBelow(random, last + 1);
    const moved = order[last]!;
    order[last] = order[other]!;
    order[other] = moved;
  }
  return order;
}

/** Uniform in [0, bound), without the bias of a plain remainder. */
function integerBelow(random: Random, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const drawn = random.bits();
    if (drawn < limit) return drawn % bound;
  }
}

/** Where a batch is copied to; the arrays may be longer than the batch, the rest of them is left as it is. */
export interface BatchArrays {
  /** [batch, ids] */
  readonly ids: Int32Array;
  /** [batch, numbers] */
  readonly numbers: Float32Array;
  /** [batch] */
  readonly scenario: Int32Array;
  /** [batch, tasks] */
  readonly labels: Float32Array;
}

/**
 * Copies the rows `order[start..end)` of `source` to the front of `into`, without allocating. Returns the number of
 * rows copied, which is below `end - start` only at the end of the order. Throws a RangeError when they do not fit.
 */
export function fillBatch(input: {
  readonly source: SplitRows;
  readonly order: Uint32Array;
  readonly start: number;
  readonly end: number;
  readonly into: BatchArrays;
}): number {
  const { source, order, start, into } = input;
  const end = Math.min(input.end, order.length);
  const count = Math.max(0, end - start);
  const ids = source.ids.length / source.rows;
  const numbers = source.numbers.length / source.rows;
  const tasks = source.labels.length / source.rows;
  const wanted = [count * ids, count * numbers, count, count * tasks];
  if ([into.ids, into.numbers, into.scenario, into.labels].some(({ length }, i) => length < wanted[i]!)) {
    throw new RangeError(
      `fillBatch: expected room for ${count} rows of ${ids} ids, ${numbers} numbers and ${tasks} labels, ` +
        `got ${into.ids.length} ids, ${into.numbers.length} numbers, ${into.scenario.length} scenarios, ` +
        `${into.labels.length} labels`,
    );
  }
  for (let row = 0; row < count; row++) {
    const from = order[start + row]!;
    for (let i = 0; i < ids; i++) into.ids[row * ids + i] = source.ids[from * ids + i]!;
    for (let i = 0; i < numbers; i++) into.numbers[row * numbers + i] = source.numbers[from * numbers + i]!;
    into.scenario[row] = source.scenario[from]!;
    for (let task = 0; task < tasks; task++) into.labels[row * tasks + task] = source.labels[from * tasks + task]!;
  }
  return count;
}
