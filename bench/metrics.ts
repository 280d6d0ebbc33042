/**
 * `npm run bench -- metrics`: how long all metrics with their intervals take, on one core. Once for one cell without
 * groups, once through the evaluation of a training: 3 scenarios × 2 tasks with groups of 50 rows, each row in two cells.
 */
import { measureCell } from "../src/metrics/measureCell.ts";
import { createRandom } from "../src/random.ts";
import { cellMetrics } from "../src/training/evaluate.ts";
import type { Options } from "./options.ts";

export const summary = "seconds for all metrics of a large split (--rows, --seed)";

const shape = { fields: 0, ids: 0, unknownIds: [], scenarios: ["a", "b", "c"], tasks: ["click", "like"] };
const rowsPerGroup = 50;

export async function run(options: Options): Promise<Record<string, unknown>> {
  const rows = options.number("rows", 10_000_000);
  const random = createRandom(options.number("seed", 1), "metrics bench");
  const probabilities = new Float32Array(rows * shape.tasks.length).map(() => random.uniform() ** 2);
  const labels = probabilities.map((p) => Number(random.uniform() < p));
  const scenario = new Int32Array(rows).map(() => random.bits() % shape.scenarios.length);
  const groups = new Int32Array(rows).map(() => random.bits() % Math.ceil(rows / rowsPerGroup));
  const [cellProbabilities, cellLabels] = [probabilities.slice(0, rows), labels.slice(0, rows)];
  const split = { rows, ids: new Int32Array(0), numbers: new Float32Array(0), scenario, labels, groups };
  return {
    rows,
    seconds: secondsOf(() => measureCell({ probabilities: cellProbabilities, labels: cellLabels })),
    secondsWithGroups: secondsOf(() => cellMetrics("test", split, probabilities, shape, "FULL")),
  };
}

function secondsOf(work: () => unknown): number {
  const begun = performance.now();
  work();
  return Number(((performance.now() - begun) / 1000).toFixed(2));
}
