/** The entry of the thread in which training rows are counted and calibrations measured. */
import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { readIdParts } from "../../data/arrowFiles.ts";
import { transformFromJson } from "../../data/transform.ts";
import { measureCell } from "../../metrics/measureCell.ts";
import { reliability } from "../../metrics/reliability.ts";
import { binCount, countBins, ownBins } from "./bins.ts";
import type { DriftOrder, LabelledCell, MeasuredCell, TrainingDistribution, TrainingOrder } from "./driftOrder.ts";

// What it throws ends the thread, and is told to whoever waits.
parentPort!.on("message", async (order: DriftOrder) => parentPort!.postMessage(await carryOut(order)));

function carryOut(order: DriftOrder): Promise<TrainingDistribution> | MeasuredCell[] {
  switch (order.kind) {
    case "TRAINING":
      return countTraining(order);
    case "CALIBRATION":
      return order.cells.map(measure);
    default:
      return order satisfies never;
  }
}

async function countTraining({ trainFile, transformFile }: TrainingOrder): Promise<TrainingDistribution> {
  const transform = transformFromJson(JSON.parse(await readFile(transformFile, "utf8")));
  const { scenarios, unknownIds } = transform.shape;
  const { fields } = transform.toJSON();
  const rows = new Float64Array(scenarios.length * fields.length * binCount);
  for await (const part of readIdParts(trainFile)) countBins(part, unknownIds, rows);
  return {
    scenarios,
    fields: fields.map(({ column, values }) => {
      return { column, values: values.slice(0, ownBins), hasOthers: values.length > ownBins };
    }),
    rows: Array.from(rows),
  };
}

function measure(cell: LabelledCell): MeasuredCell {
  const [auc, logloss, ratio] = measureCell(cell);
  return {
    rows: cell.labels.length,
    auc: auc!,
    logloss: logloss!,
    ratio: ratio!,
    ...reliability(cell.probabilities, cell.labels),
  };
}
