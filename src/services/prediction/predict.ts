/** Answers rows of raw values with a model: that of a run, or the version that a name stands for. */
import { ConflictError } from "../../errors.ts";
import { flowNames } from "../../model/spec.ts";
import type { ModelVersion, Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { refusal } from "../parseInput.ts";
import { headOf } from "../stored.ts";
import { askedModel } from "./askedModel.ts";
import type { AskedModel } from "./askedModel.ts";
import { compareInBackground } from "./compareInBackground.ts";
import type { PoolAnswer } from "./modelPool.ts";
import { modelFilesOf } from "./openModel.ts";
import { answeredIndices } from "./poolMessages.ts";
import type { RawRequest } from "./poolMessages.ts";
import { checkOverrides, withGates } from "./whatIf.ts";
import type { GateOverride } from "./whatIf.ts";

/** Rows in one request: what one of them costs is small, what all of them cost must not stop the others. */
const mostRows = 1000;
const longestRowId = 255;

export interface PredictInput {
  /** Id of a run. Either this or `model` is given. */
  readonly run?: string | null;
  /** Name of a model, see `resolveModel`. */
  readonly model?: string | null;
  readonly rows: readonly PredictInputRow[];
  /** FAIL: a row that cannot be used fails the request. SKIP: it is told in `rowErrors`, and the others are answered. Default FAIL. */
  readonly onRowError?: RawRequest["onRowError"];
  /** Default: the model's own gates. */
  readonly gateOverride?: readonly GateOverride[] | null;
  /** Whether partial logits and gates are wanted, which cost more than the probabilities. */
  readonly explain: boolean;
}

export interface PredictInputRow {
  /** The sender's own name of the row, 1 to 255 characters. */
  readonly id?: string | null;
  readonly scenario: string;
  /** By column. */
  readonly values: unknown;
}

export interface PredictedRow {
  /** Its place in the request, from 0. */
  readonly index: number;
  readonly id: string | null;
  readonly scenarioKey: string;
  readonly tasks: TaskPrediction[];
}

/** A row that was passed over. */
export interface RowError {
  readonly index: number;
  readonly id: string | null;
  readonly code: string;
  /** For example `rows[3].values.age`. */
  readonly field: string | null;
  readonly message: string;
}

export interface FlowValues {
  readonly sharedShared: number;
  readonly scenarioTask: number;
  readonly sharedTask: number;
  readonly scenarioShared: number;
}

export interface TaskPrediction {
  readonly taskKey: string;
  /** Of a conditional task that of both, it and its condition. */
  readonly probability: number;
  /** Where the condition is 1; null for tasks without one, and where the condition's probability is 0. */
  readonly conditionalProbability: number | null;
  /** Null for head TOWERS, and where nobody asked to explain. */
  readonly partials: ({ readonly full: number } & FlowValues) | null;
  readonly gates: FlowValues | null;
}

export interface Prediction {
  readonly run: Run;
  /** Null where a run was asked. */
  readonly modelVersion: ModelVersion | null;
  /** Keys, in the order of every row's tasks. */
  readonly taskKeys: readonly string[];
  /** Those that were answered, in the order given. */
  readonly rows: PredictedRow[];
  /** By index; empty unless rows are to be skipped. */
  readonly rowErrors: RowError[];
  readonly unknownValues: { readonly column: string; readonly rows: number }[];
}

export type PredictionParts = Pick<
  Installation,
  "store" | "pool" | "runReader" | "modelResolver" | "observers" | "trafficDifferences" | "log"
>;

/**
 * A run that FAILED or was CANCELLED answers with the best checkpoint it had, a run on one cell in its scenario for its
 * task. Throws InvalidInputError with the path of the value that is wrong, NotFoundError for the run or the model,
 * ConflictError for a run without a model, UnavailableError where the thread of the model has died.
 */
export async function predict(parts: PredictionParts, input: PredictInput): Promise<Prediction> {
  const { rows, onRowError = "FAIL", gateOverride } = input;
  assertRows(rows);
  if (gateOverride) checkOverrides(gateOverride);
  const asked = await askedModel(parts, input);
  const { run } = asked;
  if (gateOverride && headOf(run).kind !== "AUTOIFS") throw hasNoGates(run);
  const request: RawRequest = { rows: rows.map(({ scenario, values }) => ({ scenario, values })), onRowError };
  const answer = await parts.pool.predict({
    key: run.id,
    files: () => modelFilesOf(parts.store, run),
    request,
    explain: input.explain || Boolean(gateOverride),
  });
  assertConverged(run, answer.probabilities);
  // A row in a request with other gates is a question about the model, and was not served by it.
  if (gateOverride) return predictionOf(input, asked, { ...answer, ...overridden(answer, gateOverride) });
  await observed(parts, input, asked, answer);
  if (asked.other) compareInBackground(parts, asked, asked.other, request, answer);
  return predictionOf(input, asked, answer);
}

/** Throws ConflictError where not all probabilities are finite numbers. */
export function assertConverged({ id }: Run, probabilities: Float32Array): void {
  if (probabilities.every(Number.isFinite)) return;
  const received = "a model that answers with something that is not a finite number";
  throw new ConflictError(`run: expected a model that converged, but ${id} has ${received}`, {
    field: "run",
    expected: "a model that converged",
    received,
    hint: "train again with a lower learning rate",
  });
}

function assertRows(rows: PredictInput["rows"]): void {
  if (rows.length < 1 || rows.length > mostRows) throw refusal("rows", `1 to ${mostRows} rows`, String(rows.length));
  for (const [index, { id }] of rows.entries()) {
    if (id === null || id === undefined || (id.length >= 1 && id.length <= longestRowId)) continue;
    throw refusal(`rows[${index}].id`, `a text of 1 to ${longestRowId} characters`, `${id.length} characters`);
  }
}

function hasNoGates({ id }: Run): ConflictError {
  const [expected, received] = ["a model with head AUTOIFS", "head TOWERS"];
  const detail = { field: "gateOverride", expected, received };
  return new ConflictError(`gateOverride: expected ${expected}, but run ${id} has ${received}`, detail);
}

function overridden(answer: PoolAnswer, overrides: readonly GateOverride[]) {
  const { partialLogits, gates, scenario, facts } = answer;
  return withGates({ partialLogits: partialLogits!, gates: gates! }, scenario, facts, overrides);
}

/** Rows with names are kept by whoever asked for it before the answer leaves; the rest is nobody's to wait for. */
async function observed(
  { observers, log }: PredictionParts,
  { rows }: PredictInput,
  { run, version }: AskedModel,
  answer: PoolAnswer,
): Promise<void> {
  if (version === null || answer.rows === 0 || observers.length === 0) return;
  const { facts, ids, numbers, scenario, probabilities } = answer;
  const names = rows.some(({ id }) => typeof id === "string")
    ? answeredIndices(rows.length, answer.faults).map((index) => rows[index]!.id ?? null)
    : undefined;
  const batch = {
    version,
    run,
    facts,
    rows: answer.rows,
    ids,
    numbers,
    scenario,
    probabilities,
    taskKeys: facts.tasks,
  };
  for (const observer of observers) {
    const told = observer.served(names ? { ...batch, rowIds: names } : batch);
    if (names) await told;
    else told?.catch((error: unknown) => log.error("rows that were served could not be counted", { error }));
  }
}

function predictionOf({ rows }: PredictInput, { run, version }: AskedModel, answer: PoolAnswer): Prediction {
  const { tasks } = answer.facts;
  return {
    run,
    modelVersion: version,
    taskKeys: tasks,
    rows: answeredIndices(rows.length, answer.faults).map((index, row) => ({
      index,
      id: rows[index]!.id ?? null,
      scenarioKey: rows[index]!.scenario,
      tasks: tasks.map((taskKey, task) => ({ taskKey, ...taskPrediction(answer, row, task) })),
    })),
    rowErrors: answer.faults.map(({ row, code, message, detail }) => ({
      index: row,
      id: rows[row]!.id ?? null,
      code: code!,
      field: detail.field ?? null,
      message,
    })),
    unknownValues: [...answer.unknown],
  };
}

function taskPrediction(
  { facts, probabilities, partialLogits, gates }: PoolAnswer,
  row: number,
  task: number,
): Omit<TaskPrediction, "taskKey"> {
  const [first, width] = [row * facts.tasks.length, 1 + flowNames.length];
  const cell = first + task;
  const condition = facts.conditions?.[task] ?? null;
  return {
    probability: probabilities[cell]!,
    conditionalProbability:
      condition === null ? null : conditional(probabilities[cell]!, probabilities[first + condition]!),
    partials: partialLogits
      ? { full: partialLogits[cell * width]!, ...flowValues(partialLogits, cell * width + 1) }
      : null,
    gates: gates ? flowValues(gates, cell * flowNames.length) : null,
  };
}

/** Both are rounded, so their ratio may be a little above 1. */
function conditional(both: number, condition: number): number | null {
  return condition === 0 ? null : Math.min(1, both / condition);
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
