/** The entry of the thread in which training rows are counted and calibrations measured. */
import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { readInputParts } from "../../data/arrowFiles.ts";
import { unscaled } from "../../data/fieldNumbers.ts";
import { vocabularyPlace } from "../../data/fieldTransform.ts";
import type { FieldTransform } from "../../data/fieldTransform.ts";
import { transformFromJson } from "../../data/transform.ts";
import { measureCell } from "../../metrics/measureCell.ts";
import { reliability } from "../../metrics/reliability.ts";
import { binCount, binningOf, countBins, numberBounds, ownBins, valueBins } from "./bins.ts";
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
  const { scenarios } = transform.shape;
  const { fields } = transform.toJSON();
  const binning = binningOf(transform.shape);
  const rows = new Float64Array(scenarios.length * fields.length * binCount);
  for await (const part of readInputParts(trainFile)) countBins(part, binning, rows);
  return {
    scenarios,
    fields: fields.map((field, place) => ({ column: field.column, ...binValues(fields, place) })),
    rows: Array.from(rows),
  };
}

/** What the bins of a field stand for, in their order. */
function binValues(fields: readonly FieldTransform[], place: number) {
  const field = fields[place]!;
  switch (field.kind) {
    case "CATEGORICAL":
    case "NUMERIC":
      return { values: field.values.slice(0, ownBins), hasOthers: field.values.length > ownBins };
    case "MULTI_VALUED":
    case "SEQUENCE": {
      const { values } = fields[vocabularyPlace(fields, place)]!;
      return { values: [...values.slice(0, valueBins), ""], hasOthers: values.length > valueBins };
    }
    case "VALUE": {
      const bounds = numberBounds.map((deviations) => {
        return String(Number(unscaled(field.scale, field.mean + deviations * field.std).toPrecision(4)));
      });
      const between = bounds.slice(1).map((bound, index) => `${bounds[index]!} to ${bound}`);
      return { values: [`below ${bounds[0]!}`, ...between, `from ${bounds.at(-1)!}`, ""], hasOthers: false };
    }
    case "VECTOR":
      return { values: null, hasOthers: false };
    default:
      return field satisfies never;
  }
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
