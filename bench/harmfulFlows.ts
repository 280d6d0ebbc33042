/**
 * Made data in which it is known which flows harm which cells. What decides a label is a sum of four parts, one per flow: one
 * that all cells share (sh→sh), one per scenario (k→sh), one per task (sh→m), one per cell (k→m), as in an analysis of
 * variance: parts of scenarios sum to zero over the scenarios, parts of tasks over the tasks. In chosen cells the part of a
 * chosen flow does not count: there that flow, which the other cells need, carries only noise.
 */
import type { DatasetShape, Split, SplitRows } from "../src/data/spec.ts";
import { flowNames } from "../src/model/spec.ts";
import { createRandom, type Random } from "../src/random.ts";

export interface HarmfulFlows {
  readonly shape: DatasetShape;
  readonly rows: Readonly<Record<Split, SplitRows>>;
  /** 1 where the flow carries only noise for the cell [S, T, 4]. */
  readonly harmful: Uint8Array;
}

export interface HarmfulFlowsOptions {
  readonly seed: number;
  readonly trainRows: number;
  /** Of the validation and of the test split. */
  readonly heldRows: number;
  readonly scenarios: number;
  readonly tasks: number;
  /** How many flows of all S·T·4 harm. */
  readonly harmful: number;
}

/** Values of each field, all equally frequent. */
const fieldSizes = [20, 20, 20, 20];
/** Standard deviation of each part in the logit, and the logit of a row without any. */
const [strength, base] = [1.5, -0.5];

export function harmfulFlows(options: HarmfulFlowsOptions): HarmfulFlows {
  const { seed, trainRows, heldRows, scenarios: S, tasks: T } = options;
  const random = createRandom(seed, "harmful flows");
  const parts = partsOf(S, T, random);
  const harmful = chosenFlows(options, random);
  const firstIds = fieldSizes.map((_, f) => fieldSizes.slice(0, f).reduce((sum, n) => sum + n + 1, 0));

  const drawn = (rows: number): SplitRows => {
    const ids = new Int32Array(rows * fieldSizes.length);
    const scenario = new Int32Array(rows);
    const labels = new Float32Array(rows * T);
    for (let row = 0; row < rows; row++) {
      const k = below(S, random);
      const values = fieldSizes.map((size) => below(size, random));
      scenario[row] = k;
      values.forEach((value, f) => (ids[row * fieldSizes.length + f] = firstIds[f]! + value));
      for (let m = 0; m < T; m++) {
        const counted = flowNames.map((_, i) => (harmful[(k * T + m) * 4 + i] ? 0 : parts[i]!(k, m, values)));
        const logit = base + strength * counted.reduce((sum, part) => sum + part, 0);
        labels[row * T + m] = Number(random.uniform() < 1 / (1 + Math.exp(-logit)));
      }
    }
    return { rows, ids, scenario, labels, numbers: new Float32Array(0) };
  };
  return {
    shape: {
      fields: fieldSizes.length,
      ids: firstIds.at(-1)! + fieldSizes.at(-1)! + 1,
      unknownIds: fieldSizes.map((size, f) => firstIds[f]! + size),
      scenarios: Array.from({ length: S }, (_, k) => `scenario_${k}`),
      tasks: Array.from({ length: T }, (_, m) => `task_${m}`),
    },
    rows: { train: drawn(trainRows), validation: drawn(heldRows), test: drawn(heldRows) },
    harmful,
  };
}

type Part = (k: number, m: number, values: readonly number[]) => number;

/** The four parts in flow order, each of variance 1 and uncorrelated: sums of effects of the fields' values. */
function partsOf(S: number, T: number, random: Random): Part[] {
  const [ofScenario, ofTask] = [contrasts(S, random), contrasts(T, random)];
  // S·T effects per field: 1 shared, T − 1 and S − 1 contrasts, (S − 1)(T − 1) of both.
  const effects = fieldSizes.map((size) =>
    orthonormal(size, S * T, random).map((v) => v.map((x) => x * Math.sqrt(size))),
  );
  const sum = (effect: number, values: readonly number[]): number =>
    values.reduce((total, value, f) => total + effects[f]![effect]![value]!, 0) / Math.sqrt(fieldSizes.length);
  const weighted = (weights: readonly number[], first: number, values: readonly number[]): number =>
    weights.reduce((total, weight, j) => total + weight * sum(first + j, values), 0);
  return [
    (_, __, values) => sum(0, values),
    (k, m, values) =>
      weighted(
        ofScenario[k]!.flatMap((a) => ofTask[m]!.map((b) => a * b)),
        S + T - 1,
        values,
      ),
    (_, m, values) => weighted(ofTask[m]!, 1, values),
    (k, _, values) => weighted(ofScenario[k]!, T, values),
  ];
}

/**
 * At most two flows of a cell, and of each flow at most one cell of a scenario and one of a task, so that the others still
 * tell what the part is.
 */
function chosenFlows({ scenarios: S, tasks: T, harmful: count }: HarmfulFlowsOptions, random: Random): Uint8Array {
  const most = 4 * Math.min(S, T);
  if (count > most) throw new Error(`harmful flows: expected at most ${most} of them, got ${count}`);
  for (;;) {
    const harmful = new Uint8Array(S * T * 4);
    for (let tried = 0, placed = 0; tried < 10_000; tried++) {
      const [cell, i] = [below(S * T, random), below(4, random)];
      const isTaken = (other: number): boolean =>
        harmful[other * 4 + i] === 1 && (other % T === cell % T || Math.floor(other / T) === Math.floor(cell / T));
      const inCell = harmful.subarray(cell * 4, cell * 4 + 4).reduce((sum, x) => sum + x, 0);
      if (inCell === 2 || Array.from({ length: S * T }, (_, other) => other).some(isTaken)) continue;
      harmful[cell * 4 + i] = 1;
      if (++placed === count) return harmful;
    }
  }
}

/** n rows of length 1 in n − 1 columns that sum to zero [n][n − 1]. */
function contrasts(n: number, random: Random): number[][] {
  const columns = orthonormal(n, n - 1, random);
  return Array.from({ length: n }, (_, row) => columns.map((v) => v[row]! * Math.sqrt(n / (n - 1))));
}

/** Vectors of length 1, orthogonal to each other and to the constant [count][n] (Gram–Schmidt). */
function orthonormal(n: number, count: number, random: Random): number[][] {
  const found = [Array.from({ length: n }, () => 1 / Math.sqrt(n))];
  while (found.length <= count) {
    let v = Array.from({ length: n }, () => random.normal());
    for (const u of found) {
      const along = v.reduce((sum, x, i) => sum + x * u[i]!, 0);
      v = v.map((x, i) => x - along * u[i]!);
    }
    const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    found.push(v.map((x) => x / length));
  }
  return found.slice(1);
}

function below(n: number, random: Random): number {
  return Math.floor(random.uniform() * n);
}
