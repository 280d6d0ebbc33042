/** The best of some candidates for one user in one context, by a formula over the probabilities of the tasks. */
import { ProductError } from "../../errors.ts";
import type { ModelVersion, Run } from "../../store/rows.ts";
import { refusal, shown } from "../parseInput.ts";
import { predict } from "./predict.ts";
import type { PredictionParts, PredictedRow, TaskPrediction } from "./predict.ts";

/**
 * WEIGHTED_SUM: Σ weight · probability. WEIGHTED_PRODUCT: Π probability ^ weight, which asks for all tasks at once: what is
 * hopeless in one is not saved by another.
 */
export type RankCombination = "WEIGHTED_SUM" | "WEIGHTED_PRODUCT";

export interface RankTerm {
  /** Key. */
  readonly task: string;
  readonly weight: number;
}

export interface RankInput {
  /** Id of a run. Either this or `model` is given. */
  readonly run?: string | null;
  readonly model?: string | null;
  /** Key. */
  readonly scenario: string;
  /** Values by column that all candidates have in common. */
  readonly context: unknown;
  readonly candidates: readonly RankCandidate[];
  /** How many of the best are wanted. */
  readonly top: number;
  readonly combine: RankCombination;
  /** At least one, each task once. */
  readonly terms: readonly RankTerm[];
}

export interface RankCandidate {
  /** Said again in the answer. */
  readonly id?: string | null;
  /** By column; where the context has one too, this counts. */
  readonly values: unknown;
}

export interface Ranking {
  readonly run: Run;
  /** Null where a run was asked. */
  readonly modelVersion: ModelVersion | null;
  /** The best first; of equal ones the one that was named first. */
  readonly candidates: RankedCandidate[];
  readonly unknownValues: { readonly column: string; readonly rows: number }[];
}

export interface RankedCandidate {
  /** Its place in the request, from 0. */
  readonly index: number;
  readonly id: string | null;
  readonly score: number;
  readonly tasks: TaskPrediction[];
}

const mostCandidates = 1000;
const mostTerms = 20;
const longestId = 255;
/** Of a weight, either way. A sum of a few, and a power of it, stay numbers. */
const largestWeight = 100;

/** Throws as `predict` does, and InvalidInputError for a formula that cannot be used. */
export async function rank(parts: PredictionParts, input: RankInput): Promise<Ranking> {
  const { run, model, scenario, context, candidates, top } = input;
  assertInput(input);
  const rows = candidates.map(({ values }, index) => {
    const own = members(values, `candidates[${index}].values`);
    return { scenario, values: { ...(context as object), ...own } };
  });
  const prediction = await predict(parts, { run: run ?? null, model: model ?? null, rows, explain: false }).catch(
    (error: unknown) => {
      throw error instanceof ProductError ? ofCandidates(error, input) : error;
    },
  );
  const score = formulaOf(input, prediction.taskKeys);
  const ranked = prediction.rows.map((row) => ({ row, score: score(row) })).sort((a, b) => b.score - a.score);
  return {
    run: prediction.run,
    modelVersion: prediction.modelVersion,
    candidates: ranked.slice(0, top).map(({ row: { index, tasks }, score }) => {
      return { index, id: candidates[index]!.id ?? null, score, tasks };
    }),
    unknownValues: prediction.unknownValues,
  };
}

/** Of a row. Sorting is stable, so equal ones stay in the order of the request. */
function formulaOf({ combine, terms }: RankInput, tasks: readonly string[]): (row: PredictedRow) => number {
  const parts = terms.map(({ task, weight }, index) => {
    const place = tasks.indexOf(task);
    if (place < 0) throw refusal(`terms[${index}].task`, `one of ${tasks.map(shown).join(", ")}`, shown(task));
    return { place, weight };
  });
  const probability = ({ tasks }: PredictedRow, place: number): number => tasks[place]!.probability;
  if (combine === "WEIGHTED_SUM") {
    return (row) => parts.reduce((sum, { place, weight }) => sum + weight * probability(row, place), 0);
  }
  return (row) => parts.reduce((product, { place, weight }) => product * probability(row, place) ** weight, 1);
}

function assertInput({ context, candidates, top, combine, terms }: RankInput): void {
  const assertCount = (field: string, count: number, most: number, of: string): void => {
    if (!(count >= 1 && count <= most)) throw refusal(field, `1 to ${most}${of}`, String(count));
  };
  assertCount("candidates", candidates.length, mostCandidates, " candidates");
  assertCount("top", top, mostCandidates, "");
  assertCount("terms", terms.length, mostTerms, " terms");
  members(context, "context");
  for (const [index, { id }] of candidates.entries()) {
    if (typeof id === "string") assertCount(`candidates[${index}].id`, id.length, longestId, " characters");
  }
  // A power below 0 of what may be 0 is no number.
  const least = combine === "WEIGHTED_PRODUCT" ? 0 : -largestWeight;
  for (const [index, { task, weight }] of terms.entries()) {
    if (!(weight >= least && weight <= largestWeight)) {
      throw refusal(`terms[${index}].weight`, `a number from ${least} to ${largestWeight}`, String(weight));
    }
    const isAgain = terms.findIndex((term) => term.task === task) < index;
    if (isAgain) throw refusal(`terms[${index}].task`, "every task once", shown(task));
  }
}

function members(values: unknown, field: string): object {
  if (typeof values === "object" && values !== null && !Array.isArray(values)) return values;
  throw refusal(field, "an object of values by column", shown(values));
}

/** An error about a value in a row as one about where that value was given. */
function ofCandidates(error: ProductError, { candidates, context }: RankInput): ProductError {
  const { field = "" } = error.detail;
  const [, row, member, column] = /^rows\[(\d+)\]\.(?:(scenario)|values\.(.+))$/s.exec(field) ?? [];
  if (row === undefined) return error;
  const isCommon =
    column !== undefined &&
    Object.hasOwn(context as object, column) &&
    !Object.hasOwn(candidates[Number(row)]!.values as object, column);
  const own = isCommon ? `context.${column}` : `candidates[${row}].values.${column}`;
  const place = member ?? own;
  const message = error.message.startsWith(`${field}:`) ? place + error.message.slice(field.length) : error.message;
  return new ProductError(error.code, message, { ...error.detail, field: place }, error);
}
