/** The entry of the thread a comparison runs in: reads the labels and the predictions, and compares cell by cell. */
import { readFile } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { readLabels } from "../../data/arrowFiles.ts";
import { compareCell } from "../../metrics/compare.ts";
import { verifyFile } from "../storedFile.ts";
import type { ComparedCells, ComparisonOrder, StoredPredictions } from "./comparisonOrder.ts";

parentPort!.postMessage(await carryOut(workerData as ComparisonOrder));

async function carryOut({ testFile, shape, cells }: ComparisonOrder): Promise<ComparedCells> {
  await verifyFile(testFile, "comparison");
  const { rows, scenario, labels } = await readLabels(testFile.path);
  const T = shape.tasks.length;
  const predictions = await predictionsOf(cells.flatMap(({ baseline, candidate }) => [...baseline, ...candidate]));
  const rowsOf = shape.scenarios.map((_, k) => rowsWhere(scenario, k));

  return cells.map((cell) => {
    const own = rowsOf[shape.scenarios.indexOf(cell.scenario)]!;
    const task = shape.tasks.indexOf(cell.task);
    const probabilitiesOf = ({ path, isOfCell }: StoredPredictions): Float32Array => {
      const values = predictions.get(path)!;
      const expected = isOfCell ? own.length : rows * T;
      if (values.length !== expected)
        throw new Error(`comparison: ${path}: expected ${expected} probabilities, got ${values.length}`);
      return isOfCell ? values : gathered(values, own, T, task);
    };
    const [auc, logloss] = compareCell({
      labels: gathered(labels, own, T, task),
      baseline: cell.baseline.map(probabilitiesOf),
      candidate: cell.candidate.map(probabilitiesOf),
      seedSpread: cell.seedSpread,
      cells: cells.length,
    });
    return { auc: auc!, logloss: logloss! };
  });
}

/** By path. */
async function predictionsOf(stored: readonly StoredPredictions[]): Promise<ReadonlyMap<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const file of stored) {
    if (values.has(file.path)) continue;
    await verifyFile(file, "comparison");
    const bytes = new Uint8Array(await readFile(file.path));
    values.set(file.path, new Float32Array(bytes.buffer, 0, bytes.length / 4));
  }
  return values;
}

/** Numbers of the rows of a scenario, ascending. */
function rowsWhere(scenario: Int32Array, k: number): Uint32Array {
  const rows = new Uint32Array(scenario.reduce((count, value) => count + Number(value === k), 0));
  let filled = 0;
  for (let row = 0; row < scenario.length; row++) if (scenario[row] === k) rows[filled++] = row;
  return rows;
}

/** Column `column` of the rows `own` of a row-major array [own]. */
function gathered(source: Float32Array, own: Uint32Array, columns: number, column: number): Float32Array {
  const values = new Float32Array(own.length);
  for (let i = 0; i < own.length; i++) values[i] = source[own[i]! * columns + column]!;
  return values;
}
