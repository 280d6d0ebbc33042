/** One cell of a dataset as a dataset of its own: the rows of its scenario, the labels of its task. */
import type { DatasetShape, SplitRows } from "./spec.ts";

export interface Cell {
  readonly scenario: string;
  readonly task: string;
}

/** Ids stay what they were, so the cell has the embedding table of the whole. Throws where there is no such cell. */
export function shapeOfCell(shape: DatasetShape, { scenario, task }: Cell): DatasetShape {
  for (const [known, wanted] of [
    [shape.scenarios, scenario],
    [shape.tasks, task],
  ] as const) {
    if (!known.includes(wanted)) throw new Error(`cell: expected one of ${known.join(", ")}, got ${wanted}`);
  }
  return { ...shape, scenarios: [scenario], tasks: [task] };
}

/** In the order of the whole. */
export function rowsOfCell(rows: SplitRows, shape: DatasetShape, { scenario, task }: Cell): SplitRows {
  const [k, m, T] = [shape.scenarios.indexOf(scenario), shape.tasks.indexOf(task), shape.tasks.length];
  const own: number[] = [];
  for (let row = 0; row < rows.rows; row++) if (rows.scenario[row] === k) own.push(row);
  const ids = new Int32Array(own.length * shape.fields);
  for (const [i, row] of own.entries()) {
    ids.set(rows.ids.subarray(row * shape.fields, (row + 1) * shape.fields), i * shape.fields);
  }
  return {
    rows: own.length,
    ids,
    scenario: new Int32Array(own.length),
    labels: Float32Array.from(own, (row) => rows.labels[row * T + m]!),
    ...(rows.groups ? { groups: Int32Array.from(own, (row) => rows.groups![row]!) } : {}),
  };
}
