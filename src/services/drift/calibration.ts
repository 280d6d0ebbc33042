/** How well a model version is calibrated on rows it has answered, once their labels have been told. */
import type { Measurement } from "../../metrics/measurement.ts";
import { missing } from "../../metrics/measurement.ts";
import type { ReliabilityBin } from "../../metrics/reliability.ts";
import type { LabelSpec } from "../../data/spec.ts";
import type { Dataset, ModelVersion, Run } from "../../store/rows.ts";
import type { DayRange } from "../../store/servedBins.ts";
import type { LabelledRow } from "../../store/servedRows.ts";
import type { Store } from "../../store/store.ts";
import type { Installation } from "../installation.ts";
import { refusal } from "../parseInput.ts";
import { cellOf, manifestOf, specOf } from "../stored.ts";
import { dayRange } from "./days.ts";
import type { Days } from "./drift.ts";
import type { DriftMeasurer } from "./driftMeasurer.ts";
import type { LabelledCell } from "./driftOrder.ts";

export interface CellCalibration {
  readonly scenarioKey: string;
  readonly taskKey: string;
  /** With a label. */
  readonly rows: number;
  readonly meanPredicted: number | null;
  readonly meanObserved: number | null;
  readonly ratio: Measurement;
  readonly ece: number | null;
  readonly auc: Measurement;
  readonly logloss: Measurement;
  readonly bins: readonly ReliabilityBin[];
}

/** Rows with labels one question may be about: each is some bytes in memory, and milliseconds for a thousand of them. */
const mostRows = 500_000;
/** Rows that are read before others have their turn. */
const pageRows = 1000;

/** By scenario, then task, in the order of the dataset. Throws InvalidInputError for the days. */
export async function calibration(
  { store }: Pick<Installation, "store">,
  measurer: DriftMeasurer,
  version: ModelVersion,
  days: Days,
): Promise<CellCalibration[]> {
  const range = dayRange(days);
  const run = await store.runs.get(version.runId);
  const dataset = await store.datasets.get(run.datasetId);
  const cells = cellsOf(run, dataset);
  const declared = specOf(dataset).labels;
  const places = new Map(cells.map(({ scenarioKey, taskKey }, place) => [`${scenarioKey} ${taskKey}`, place]));
  const collected = cells.map(() => ({ probabilities: [] as number[], labels: [] as number[] }));
  for await (const { scenarioKey, probabilities, labels } of labelledRows(store, version.id, range)) {
    for (const [task, label] of Object.entries(composedLabels(labels, declared))) {
      const cell = collected[places.get(`${scenarioKey} ${task}`) ?? -1];
      const probability = probabilities[task];
      if (!cell || probability === undefined) continue;
      cell.probabilities.push(probability);
      cell.labels.push(label);
    }
  }
  const filled = collected.flatMap(({ probabilities, labels }): LabelledCell[] =>
    labels.length === 0 ? [] : [{ probabilities: Float32Array.from(probabilities), labels: Float32Array.from(labels) }],
  );
  const measured = filled.length === 0 ? [] : [...(await measurer.carryOut({ kind: "CALIBRATION", cells: filled }))];
  return cells.map((cell, place) => {
    if (collected[place]!.labels.length === 0) return { ...cell, ...nothing };
    const { predicted, observed, ...rest } = measured.shift()!;
    return { ...cell, ...rest, meanPredicted: predicted, meanObserved: observed };
  });
}

const nothing: Omit<CellCalibration, "scenarioKey" | "taskKey"> = {
  rows: 0,
  meanPredicted: null,
  meanObserved: null,
  ratio: missing("calibration", "NO_ROWS"),
  ece: null,
  auc: missing("auc", "NO_ROWS"),
  logloss: missing("logloss", "NO_ROWS"),
  bins: [],
};

function cellsOf(run: Run, dataset: Dataset) {
  const only = cellOf(run);
  if (only) return [{ scenarioKey: only.scenario, taskKey: only.task }];
  const { shape } = manifestOf(dataset)!;
  return shape.scenarios.flatMap((scenarioKey) => shape.tasks.map((taskKey) => ({ scenarioKey, taskKey })));
}

/** As the labels of the dataset are composed: where a condition is 0, so is every task under it, told or not. */
function composedLabels(told: LabelledRow["labels"], declared: readonly LabelSpec[]): LabelledRow["labels"] {
  const isRefuted = (task: string): boolean => {
    const over = declared.find((label) => label.task === task)?.onlyWhere;
    return over !== undefined && (told[over] === 0 || isRefuted(over));
  };
  const refuted = declared.filter(({ task }) => isRefuted(task)).map(({ task }) => [task, 0] as const);
  return refuted.length === 0 ? told : { ...told, ...Object.fromEntries(refuted) };
}

async function* labelledRows({ served }: Store, versionId: string, range: DayRange): AsyncGenerator<LabelledRow> {
  if ((await served.countLabelled(versionId, range, mostRows + 1)) > mostRows) {
    throw refusal("from", `days with at most ${mostRows} rows with labels`, "more", "ask for fewer days");
  }
  let after: LabelledRow | undefined;
  for (;;) {
    const page = await served.labelledRows(versionId, range, { first: pageRows, ...(after ? { after } : {}) });
    yield* page;
    if (page.length < pageRows) return;
    after = page.at(-1)!;
  }
}
