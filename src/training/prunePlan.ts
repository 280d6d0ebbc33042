/**
 * What a prune would do, from one prediction of the searched model: logit = full − Σ g·f, so every plan is arithmetic
 * over the partial logits of the validation rows. Pure; the retraining that follows a prune is no part of it.
 */
import type { DatasetShape, SplitRows } from "../data/spec.ts";
import { InvalidInputError } from "../errors.ts";
import { changesFrom } from "../metrics/pairedChange.ts";
import type { Checkpoint, GateRule, NamedArray } from "../model/checkpoint.ts";
import { type FlowName, flowNames } from "../model/spec.ts";
import type { Predictions, Scorer } from "../serving/predictor.ts";
import { composedLogit } from "../taskConditions.ts";
import { answeredLogits } from "./answeredLogits.ts";
import { gathered, rowsByScenario } from "./evaluate.ts";
import type { CellChange, PruneRule } from "./pruneRule.ts";

/** A searched model on the validation rows. */
export interface SearchedRows {
  readonly shape: Pick<DatasetShape, "scenarios" | "tasks" | "conditions">;
  readonly rows: Pick<SplitRows, "rows" | "scenario" | "labels">;
  /** τ the search ended with. */
  readonly temperature: number;
  /** CELL gates: w [S, 4T]; absent: gates row by row. */
  readonly cellLogits?: Float32Array;
  /** With the soft gates of the search's end. */
  readonly predictions: Required<Pick<Predictions, "probabilities" | "partialLogits" | "gateLogits">>;
  /** Where tasks are conditional: the composed logits of the searched model [rows, T]. */
  readonly answered?: Float64Array;
}

export interface PlannedFlow {
  readonly flow: FlowName;
  /** Of the rows of the cell; 0 or 1 with CELL granularity. */
  readonly shareRemoved: number;
  /** σ(τw), over the rows of the cell. */
  readonly meanGate: number;
}

export interface PlannedCell extends CellChange {
  /** In flow order. */
  readonly flows: readonly PlannedFlow[];
}

export interface PrunePlan {
  readonly gateRule: Exclude<GateRule, { kind: "SOFT" }>;
  /** The same weights with the planned gates against the searched model; scenario by scenario, task by task. */
  readonly cells: readonly PlannedCell[];
}

/** Throws InvalidInputError where the checkpoint is not that of a search. */
export async function searchedRows(
  scorer: Scorer,
  search: Checkpoint | undefined,
  rows: SplitRows,
): Promise<SearchedRows> {
  if (search?.gateRule?.kind !== "SOFT")
    throw new InvalidInputError("prune: expected the checkpoint of a search run as the parent", { field: "parent" });
  const { gateRule, shape, arrays } = search;
  const { probabilities, partialLogits, gates, gateLogits } = await scorer.predict(arrays, rows, gateRule);
  const { conditions } = shape;
  const cells: NamedArray | undefined = arrays["gate/cells"];
  return {
    shape,
    rows,
    temperature: gateRule.temperature,
    ...(cells ? { cellLogits: cells.values } : {}),
    predictions: { probabilities, partialLogits: partialLogits!, gateLogits: gateLogits! },
    ...(conditions ? { answered: answeredLogits({ partialLogits: partialLogits!, gates: gates! }, conditions) } : {}),
  };
}

/**
 * The plan of a rule; a conditional task is looked at with its condition as the searched model has it. By a threshold with CELL granularity a flow goes where it would go in more than half of the rows of
 * its cell, so nothing goes in a cell without rows; gates that belong to cells decide for themselves.
 *
 * By a target all 16 choices of flows are measured in each cell. Of those whose AUC does not fall by more than allowed
 * the one that removes most is taken, of equally many the one with the highest AUC; where every choice falls further
 * (soft gates may be worth more than any hard ones) the one with the highest AUC. Nothing goes where there is no AUC.
 */
export function prunePlan(rule: PruneRule, searched: SearchedRows): PrunePlan {
  const { shape, rows, temperature } = searched;
  const threshold = gateThreshold(rule.threshold ?? 0.5, temperature);
  const rowsOf = rowsByScenario(rows, shape.scenarios.length);
  const cells = shape.scenarios.flatMap((scenario, k) =>
    shape.tasks.map((task): PlannedCell => {
      const cell = cellOf(searched, { scenario, task }, rowsOf[k]!);
      const shares = cell.gates.map((w) => shareOf(w, (one) => Number(one > threshold)));
      const choice = rule.target
        ? mostRemoved(rule.target.auc, (one) => cell.changes(cell.without((flow) => isChosen(one, flow))).auc.value)
        : choiceOf(shares.map((share) => share > 0.5));
      const isCell = rule.granularity === "CELL";
      const isRemoved = (flow: number, row: number): boolean =>
        isCell ? isChosen(choice, flow) : cell.gates[flow]![row]! > threshold;
      return {
        scenario,
        task,
        flows: flowNames.map((flow, i) => ({
          flow,
          shareRemoved: isCell ? Number(isChosen(choice, i)) : shares[i]!,
          meanGate: shareOf(cell.gates[i]!, (w) => 1 / (1 + Math.exp(-temperature * w))),
        })),
        ...cell.changes(cell.without(isRemoved)),
      };
    }),
  );
  const removed = cells.flatMap(({ flows }) => flows.map(({ shareRemoved }) => shareRemoved));
  return {
    gateRule: rule.granularity === "CELL" ? { kind: "FIXED", removed } : { kind: "HARD", threshold },
    cells,
  };
}

/** One scenario × task of a searched model; `own` are its rows. */
function cellOf(
  { shape, rows, predictions, cellLogits, answered }: SearchedRows,
  { scenario, task }: { readonly scenario: string; readonly task: string },
  own: Uint32Array,
) {
  const m = shape.tasks.indexOf(task);
  const column = (values: Float32Array, width: number, at: number): Float32Array =>
    gathered(values, own, new Float32Array(own.length), width * shape.tasks.length, width * m + at);
  const condition = shape.conditions?.[m] ?? null;
  const under =
    condition === null
      ? undefined
      : gathered(answered!, own, new Float64Array(own.length), shape.tasks.length, condition);
  const [full, ...flows] = Array.from({ length: 5 }, (_, i) => column(predictions.partialLogits, 5, i));
  return {
    /** w of each flow [4][own], or of gates that belong to cells [4][1]. */
    gates: flowNames.map((flow, i) => {
      const at = flowPlace(shape, { scenario, task, flow });
      return cellLogits ? cellLogits.subarray(at, at + 1) : column(predictions.gateLogits, 4, i);
    }),
    changes: changesFrom(column(predictions.probabilities, 1, 0), column(rows.labels, 1, 0)),
    /** σ(full − Σ removed flows) [own]. */
    without: (isRemoved: (flow: number, row: number) => boolean): Float32Array =>
      full!.map((logit, row) => {
        const left = flows.reduce((sum, flow, i) => (isRemoved(i, row) ? sum - flow[row]! : sum), logit);
        return 1 / (1 + Math.exp(-(under ? composedLogit(under[row]!, left) : left)));
      }),
  };
}

/** What a model says of rows, to be compared with what another says. */
interface PredictedRows extends Pick<SearchedRows, "shape" | "rows"> {
  readonly predictions: Pick<SearchedRows["predictions"], "probabilities">;
}

/** Another model's probabilities on the same rows [rows, T] against the model's. */
export function changesOf({ shape, rows, predictions }: PredictedRows, probabilities: Float32Array): CellChange[] {
  const rowsOf = rowsByScenario(rows, shape.scenarios.length);
  return shape.scenarios.flatMap((scenario, k) =>
    shape.tasks.map((task, m) => {
      const column = (values: Float32Array): Float32Array =>
        gathered(values, rowsOf[k]!, new Float32Array(rowsOf[k]!.length), shape.tasks.length, m);
      const changes = changesFrom(column(predictions.probabilities), column(rows.labels));
      return { scenario, task, ...changes(column(probabilities)) };
    }),
  );
}

/** Where the flow of a cell stands in [S, T, 4]. */
export function flowPlace(
  { scenarios, tasks }: SearchedRows["shape"],
  { scenario, task, flow }: { readonly scenario: string; readonly task: string; readonly flow: FlowName },
): number {
  const cell = scenarios.indexOf(scenario) * tasks.length + tasks.indexOf(task);
  return cell * flowNames.length + flowNames.indexOf(flow);
}

/** The w at which σ(τw) reaches `share`: the paper's 0.5 is w = 0, exactly. */
export function gateThreshold(share: number, temperature: number): number {
  return Math.log(share / (1 - share)) / temperature;
}

/** A choice of flows as bits: bit i removes flow i. */
const choices = Array.from({ length: 2 ** flowNames.length }, (_, choice) => choice);

function isChosen(choice: number, flow: number): boolean {
  return ((choice >> flow) & 1) === 1;
}

function choiceOf(removed: readonly boolean[]): number {
  return removed.reduce((choice, isRemoved, flow) => choice | (Number(isRemoved) << flow), 0);
}

/** `aucChangeOf` null: the cell has no AUC. */
function mostRemoved(allowed: number, aucChangeOf: (choice: number) => number | null): number {
  const count = (choice: number): number => flowNames.filter((_, flow) => isChosen(choice, flow)).length;
  let best = { choice: 0, value: -Infinity, isAllowed: false };
  for (const choice of choices) {
    const value = aucChangeOf(choice);
    if (value === null) return 0;
    const isAllowed = value >= -allowed;
    const more = isAllowed ? count(choice) - count(best.choice) : 0;
    const isBetter = isAllowed === best.isAllowed ? more > 0 || (more === 0 && value > best.value) : isAllowed;
    if (isBetter) best = { choice, value, isAllowed };
  }
  return best.choice;
}

/** The mean of `of` over w; 0 without rows. */
function shareOf(w: Float32Array, of: (w: number) => number): number {
  return w.length === 0 ? 0 : w.reduce((sum, one) => sum + of(one), 0) / w.length;
}
