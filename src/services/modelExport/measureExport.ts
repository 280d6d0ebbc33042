/** Runs a written model beside the one it was made of, on rows of the test split, and tells by how much they differ. */
import { setImmediate as turn } from "node:timers/promises";
import type { DatasetShape, SplitRows } from "../../data/spec.ts";
import { idsPerRow, numbersPerRow } from "../../fieldLayout.ts";
import type { Arrays } from "../../engine/engine.ts";
import type { ModelFile } from "../../engine/modelFile.ts";
import type { Checkpoint, GateRule } from "../../model/checkpoint.ts";
import type { Predictions, Predictor } from "../../serving/predictor.ts";
import type { PredictionRows } from "../../serving/scorer.ts";
import type { CellChange } from "../../training/pruneRule.ts";
import { changesOf } from "../../training/prunePlan.ts";

export interface MeasuredRows {
  /** Of the model in question. */
  readonly checkpoint: Checkpoint;
  /** Index of the only scenario that counts; undefined: all. */
  readonly only: number | undefined;
  /** The test split. */
  readonly rows: SplitRows;
  /** Aborts when nothing more is to be done here. */
  readonly stop: AbortSignal;
}

type Model = Pick<Predictor, "predict">;

/** Rows on which a file is run at most. */
const mostChecked = 1000;
/** Rows between two looks whether the work is still wanted: half a second of the slowest library; and of ours. */
const chunkRows = { file: 100, model: 4096 };
/** A hard gate whose w is this near to its threshold is decided by how a library rounds. */
const undecided = 1e-4;

export interface Differences {
  /** Rows on which the file was run. */
  readonly checkedRows: number;
  /** Largest |Δp| between the file and each of the models. */
  readonly maxDifferences: readonly number[];
}

/** `models` have the head and the gate rule of the checkpoint. */
export async function differences(
  measured: MeasuredRows,
  file: ModelFile,
  models: readonly Model[],
): Promise<Differences> {
  const rows = checkedRows(measured);
  const { only } = measured;
  const own = await answers(measured, rows, chunkRows.file, async ({ ids, numbers, scenario }) => {
    const given: Arrays = {
      ids,
      ...(numbers.length > 0 ? { numbers } : {}),
      ...(only === undefined ? { scenario } : {}),
    };
    return (await file.run(given))["probabilities"]!;
  });
  const maxDifferences: number[] = [];
  for (const model of models) {
    maxDifferences.push(largest(own, await model.predict(rows), measured.checkpoint.gateRule));
  }
  return { checkedRows: rows.rows, maxDifferences };
}

/** By scenario and task, on all rows of the split: what the second model says against the first. */
export async function changesOfCells(measured: MeasuredRows, before: Model, after: Model): Promise<CellChange[]> {
  const { only, checkpoint } = measured;
  const { shape } = checkpoint;
  const rows = only === undefined ? measured.rows : rowsOf(measured.rows, ofScenario(measured.rows, only));
  const said = (model: Model): Promise<Float32Array> =>
    answers(measured, rows, chunkRows.model, async (some) => (await model.predict(some)).probabilities);
  const predictions = { probabilities: await said(before) };
  const changes = changesOf({ shape, rows, predictions }, await said(after));
  return only === undefined ? changes : changes.filter(({ scenario }) => scenario === shape.scenarios[only]);
}

/** Probabilities [rows, tasks], chunk by chunk. */
async function answers(
  { checkpoint, stop }: MeasuredRows,
  { rows, ids, numbers, scenario }: PredictionRows,
  chunk: number,
  ask: (some: PredictionRows) => Promise<Float32Array>,
): Promise<Float32Array> {
  const { tasks } = checkpoint.shape;
  const [ofIds, ofNumbers] = [ids.length / rows, numbers.length / rows];
  const whole = new Float32Array(rows * tasks.length);
  for (let start = 0; start < rows; start += chunk) {
    await turn();
    stop.throwIfAborted();
    const end = Math.min(rows, start + chunk);
    const some = {
      rows: end - start,
      ids: ids.slice(start * ofIds, end * ofIds),
      numbers: numbers.slice(start * ofNumbers, end * ofNumbers),
      scenario: scenario.slice(start, end),
    };
    whole.set(await ask(some), start * tasks.length);
  }
  return whole;
}

function largest(own: Float32Array, { probabilities, gateLogits }: Predictions, gateRule?: GateRule): number {
  const skipped = undecidedCells(gateRule, gateLogits);
  let most = 0;
  for (const [cell, p] of own.entries()) {
    const difference = Math.abs(p - probabilities[cell]!);
    // Not a number in both is the same; in one alone it is as far off as can be.
    const counted = Number.isNaN(difference)
      ? Number(Number.isNaN(p) !== Number.isNaN(probabilities[cell]))
      : difference;
    if (counted > most && !skipped(cell)) most = counted;
  }
  return most;
}

/** Evenly over the split; where it has none, a row that is made up. */
function checkedRows({ rows, only, checkpoint: { shape } }: MeasuredRows): PredictionRows {
  const own = only === undefined ? Array.from({ length: rows.rows }, (_, row) => row) : ofScenario(rows, only);
  if (own.length === 0) return madeUpRow(shape, only ?? 0);
  const count = Math.min(own.length, mostChecked);
  const picked = Array.from({ length: count }, (_, i) => own[Math.floor((i * own.length) / count)]!);
  return rowsOf(rows, picked);
}

/** Of unknown values where there are such, without values where there may be none. */
function madeUpRow({ fields, layouts, unknownIds }: DatasetShape, scenario: number): PredictionRows {
  const ids = Array.from({ length: fields }, (_, field) => {
    const layout = layouts?.[field] ?? { kind: "ID" };
    const id = layout.kind === "POOLED" ? layout.padding : Math.max(0, unknownIds[field]!);
    return Array.from({ length: idsPerRow([layout]) }, () => id);
  });
  return {
    rows: 1,
    ids: Int32Array.from(ids.flat()),
    numbers: new Float32Array(numbersPerRow(layouts ?? [])),
    scenario: Int32Array.of(scenario),
  };
}

function ofScenario({ rows, scenario }: SplitRows, only: number): number[] {
  return Array.from({ length: rows }, (_, row) => row).filter((row) => scenario[row] === only);
}

function rowsOf(rows: SplitRows, picked: readonly number[]): SplitRows {
  const gathered = (values: Int32Array | Float32Array) => {
    const width = values.length / rows.rows;
    return picked.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
  };
  return {
    rows: picked.length,
    ids: Int32Array.from(gathered(rows.ids)),
    numbers: Float32Array.from(gathered(rows.numbers)),
    scenario: Int32Array.from(gathered(rows.scenario)),
    labels: Float32Array.from(gathered(rows.labels)),
  };
}

/** Whether a hard gate of a cell [row, task] is as good as on its threshold. */
function undecidedCells(gateRule: GateRule | undefined, w: Float32Array | undefined): (cell: number) => boolean {
  if (gateRule?.kind !== "HARD" || !w) return () => false;
  const { threshold } = gateRule;
  const isNear = (x: number): boolean => Math.abs(x - threshold) < undecided * Math.max(1, Math.abs(x));
  return (cell) => w.subarray(cell * 4, (cell + 1) * 4).some(isNear);
}
