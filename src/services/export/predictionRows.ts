/** What a finished model said of the rows of the test split: one row per row of the split and task. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { readLabelParts } from "../../data/arrowFiles.ts";
import type { Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { cellOf, manifestOf } from "../stored.ts";
import { rowOf } from "./columns.ts";
import type { Column, Exported } from "./columns.ts";

interface PredictedLabel {
  readonly row: number;
  readonly scenario: string;
  readonly task: string;
  readonly label: number;
  readonly probability: number;
}

const columns: readonly Column<PredictedLabel>[] = [
  { name: "row", type: "INTEGER", of: ({ row }) => row },
  { name: "scenario", type: "TEXT", of: ({ scenario }) => scenario },
  { name: "task", type: "TEXT", of: ({ task }) => task },
  { name: "label", type: "INTEGER", of: ({ label }) => label },
  { name: "probability", type: "NUMBER", of: ({ probability }) => probability },
];

/** Of a run on one cell the rows of its scenario, with their places in the whole split. The run has its predictions. */
export function exportedPredictions(store: Store, run: Run): Exported {
  return { columns, rows: predictedLabels(store, run) };
}

async function* predictedLabels({ artifacts, datasets }: Store, run: Run): AsyncGenerator<object> {
  const { shape, files } = manifestOf(await datasets.get(run.datasetId))!;
  const [labelsHash, predictionsHash] = [files["test.arrow"].sha256, run.predictionsHash!];
  await artifacts.verify(labelsHash);
  await artifacts.verify(predictionsHash);
  const cell = cellOf(run);
  const predictions = await open(artifacts.path(predictionsHash));
  try {
    let first = 0;
    let read = 0;
    for await (const { rows, scenario, labels } of readLabelParts(artifacts.path(labelsHash))) {
      const own: number[] = [];
      for (let row = 0; row < rows; row++) {
        if (!cell || shape.scenarios[scenario[row]!] === cell.scenario) own.push(row);
      }
      const tasks = cell ? [cell.task] : shape.tasks;
      const probabilities = await floats(predictions, read, own.length * tasks.length);
      for (const [place, row] of own.entries()) {
        for (const [index, task] of tasks.entries()) {
          yield rowOf(columns, {
            row: first + row,
            scenario: shape.scenarios[scenario[row]!]!,
            task,
            label: labels[row * shape.tasks.length + shape.tasks.indexOf(task)]!,
            probability: probabilities[place * tasks.length + index]!,
          });
        }
      }
      read += probabilities.length;
      first += rows;
    }
  } finally {
    await predictions.close();
  }
}

/** `count` numbers from number `start` on of a file of float32. */
async function floats(file: FileHandle, start: number, count: number): Promise<Float32Array> {
  const values = new Float32Array(count);
  const bytes = new Uint8Array(values.buffer);
  for (let read = 0; read < bytes.length;) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start * 4 + read);
    if (bytesRead === 0) throw new Error(`predictions: expected ${count} numbers from ${start} on, got fewer`);
    read += bytesRead;
  }
  return values;
}
