/** Answers rows of raw values with the model of a run. */
import { ConflictError } from "../../errors.ts";
import { flowNames } from "../../model/spec.ts";
import type { Predictions } from "../../serving/predictor.ts";
import type { Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { refusal, shown } from "../parseInput.ts";
import { cellOf } from "../stored.ts";
import { withField } from "../withField.ts";

/** Rows in one request: what one of them costs is small, what all of them cost must not stop the others. */
const mostRows = 1000;

export interface PredictInput {
  /** Id of a run. */
  readonly run: string;
  readonly rows: readonly { readonly scenario: string; readonly values: unknown }[];
}

export interface PredictedRow {
  readonly scenarioKey: string;
  readonly tasks: TaskPrediction[];
}

export interface FlowValues {
  readonly sharedShared: number;
  readonly scenarioTask: number;
  readonly sharedTask: number;
  readonly scenarioShared: number;
}

export interface TaskPrediction {
  readonly taskKey: string;
  readonly probability: number;
  /** Null for head TOWERS. */
  readonly partials: ({ readonly full: number } & FlowValues) | null;
  readonly gates: FlowValues | null;
}

export interface Prediction {
  readonly run: Run;
  readonly rows: PredictedRow[];
  readonly unknownValues: { readonly column: string; readonly rows: number }[];
}

/**
 * A run that FAILED or was CANCELLED answers with the best checkpoint it had, a run on one cell in its scenario for its
 * task. Throws InvalidInputError with the path of the value that is wrong, NotFoundError for the run, ConflictError for
 * one without a model.
 */
export async function predict({ store, predictors }: Installation, input: PredictInput): Promise<Prediction> {
  if (input.rows.length < 1 || input.rows.length > mostRows) {
    throw refusal("rows", `1 to ${mostRows} rows`, String(input.rows.length));
  }
  const rows = input.rows.map(({ scenario, values }, index) => ({ scenario, values: objectAt(index, values) }));
  const run = await withField({ id: "run" }, () => store.runs.get(input.run));
  assertHasModel(run);
  const cell = cellOf(run);
  if (cell) assertScenario(cell.scenario, rows);
  return predictors.with(run, async ({ transform, predictor }) => {
    const encoded = transform.encode(rows, "rows");
    // A model of one cell knows no scenario but its own.
    const predictions = await predictor.predict(
      cell ? { ...encoded, scenario: encoded.scenario.map(() => 0) } : encoded,
    );
    assertConverged(run, predictions);
    const tasks = cell ? [cell.task] : transform.shape.tasks;
    return {
      run,
      rows: rows.map(({ scenario }, row) => ({
        scenarioKey: scenario,
        tasks: tasks.map((taskKey, task) => ({ taskKey, ...taskPrediction(predictions, row * tasks.length + task) })),
      })),
      unknownValues: Object.entries(encoded.unknown)
        .filter(([, count]) => count > 0)
        .map(([column, count]) => ({ column, rows: count })),
    };
  });
}

/** Throws ConflictError where not all probabilities are finite numbers. */
export function assertConverged({ id }: Run, { probabilities }: Predictions): void {
  if (probabilities.every(Number.isFinite)) return;
  const received = "a model that answers with something that is not a finite number";
  throw new ConflictError(`run: expected a model that converged, but ${id} has ${received}`, {
    field: "run",
    expected: "a model that converged",
    received,
    hint: "train again with a lower learning rate",
  });
}

/** Throws ConflictError. */
export function assertHasModel({ id, state, checkpointHash }: Run): void {
  const isKept = (state === "FAILED" || state === "CANCELLED") && checkpointHash !== null;
  if (state === "SUCCEEDED" || isKept) return;
  const expected = "a run in state SUCCEEDED";
  const detail = { field: "run", expected, received: state };
  throw new ConflictError(`run: expected ${expected}, but ${id} is ${state}`, detail);
}

function assertScenario(expected: string, rows: readonly { readonly scenario: string }[]): void {
  const astray = rows.findIndex(({ scenario }) => scenario !== expected);
  if (astray < 0) return;
  throw refusal(
    `rows[${astray}].scenario`,
    `${shown(expected)}, the only one of this run`,
    shown(rows[astray]!.scenario),
  );
}

function objectAt(index: number, values: unknown): Readonly<Record<string, unknown>> {
  if (typeof values === "object" && values !== null && !Array.isArray(values)) return { ...values };
  throw refusal(`rows[${index}].values`, "an object of values by column", shown(values));
}

/** `cell` counts rows × tasks. */
function taskPrediction(
  { probabilities, partialLogits, gates }: Predictions,
  cell: number,
): Omit<TaskPrediction, "taskKey"> {
  const width = 1 + flowNames.length;
  return {
    probability: probabilities[cell]!,
    partials: partialLogits
      ? { full: partialLogits[cell * width]!, ...flowValues(partialLogits, cell * width + 1) }
      : null,
    gates: gates ? flowValues(gates, cell * flowNames.length) : null,
  };
}

/** Four values from `start`, in the order of `flowNames`. */
function flowValues(values: Float32Array, start: number): FlowValues {
  return {
    sharedShared: values[start]!,
    scenarioTask: values[start + 1]!,
    sharedTask: values[start + 2]!,
    scenarioShared: values[start + 3]!,
  };
}
