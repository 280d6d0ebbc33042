/** One cell of a dataset as a dataset of its own: the rows of its scenario, the labels of its task. */
import { rowsWhere } from "./rowsWhere.ts";
import type { DatasetShape, SplitRows } from "./spec.ts";

export interface Cell {
  readonly scenario: string;
  readonly task: string;
}

/**
 * Ids stay what they were, so the cell has the embedding table of the whole. A conditional task has no condition here: what is
 * left is the label of both, over all rows. Throws where there is no such cell.
 */
export function shapeOfCell(shape: DatasetShape, { scenario, task }: Cell): DatasetShape {
  for (const [known, wanted] of [
    [shape.scenarios, scenario],
    [shape.tasks, task],
  ] as const) {
    if (!known.includes(wanted)) throw new Error(`cell: expected one of ${known.join(", ")}, got ${wanted}`);
  }
  const { conditions: _, ...rest } = shape;
  return { ...rest, scenarios: [scenario], tasks: [task] };
}

/** In the order of the whole. */
export function rowsOfCell(rows: SplitRows, shape: DatasetShape, { scenario, task }: Cell): SplitRows {
  const [k, m, T] = [shape.scenarios.indexOf(scenario), shape.tasks.indexOf(task), shape.tasks.length];
  const own = rowsWhere(rows, (_, row) => rows.scenario[row] === k);
  return {
    ...own,
    scenario: new Int32Array(own.rows),
    labels: Float32Array.from({ length: own.rows }, (_, row) => own.labels[row * T + m]!),
  };
}
