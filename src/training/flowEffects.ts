/** What each information flow is worth to a finished model: its metrics with the flow left out, and with it left in. */
import type { DatasetShape, SplitRows } from "../data/spec.ts";
import { changesFrom } from "../metrics/pairedChange.ts";
import { flowNames } from "../model/spec.ts";
import type { Predictions } from "../serving/predictor.ts";
import { composedLogit } from "../taskConditions.ts";
import { answeredLogits } from "./answeredLogits.ts";
import { gathered, rowsByScenario } from "./evaluate.ts";
import type { FlowEffect } from "./events.ts";

/** Of a cell with more rows this many evenly spaced ones are looked at: intervals are narrow by then, and sorting is not free. */
export const effectRows = 200_000;

export interface FlowEffectsOptions {
  readonly mostRows?: number;
  /** Called after each cell; what it throws ends the work. */
  readonly betweenCells?: () => Promise<void>;
}

/**
 * By scenario, task and flow; none for towers. logit = full − Σ gate·flow, so from the partial logits of the model as it
 * is any gate can be set to 1 (out) or 0 (in) without another forward pass. A flow of a task that is the condition of others
 * is worth something to them too; that is not told.
 */
export async function flowEffects(
  rows: SplitRows,
  { partialLogits, gates }: Pick<Predictions, "partialLogits" | "gates">,
  { scenarios, tasks, conditions }: DatasetShape,
  { mostRows = effectRows, betweenCells }: FlowEffectsOptions = {},
): Promise<FlowEffect[]> {
  if (!partialLogits || !gates) return [];
  const answered = conditions && answeredLogits({ partialLogits, gates }, conditions);
  const effects: FlowEffect[] = [];
  for (const [k, own] of rowsByScenario(rows, scenarios.length).entries()) {
    const looked = evenlySpaced(own, mostRows);
    for (const [m, task] of tasks.entries()) {
      const cells = looked.map((row) => row * tasks.length + m);
      const condition = conditions?.[m] ?? null;
      const under =
        condition === null
          ? undefined
          : gathered(answered!, looked, new Float64Array(looked.length), tasks.length, condition);
      const ofCell = effectsOfCell({ ...columnsOf(cells, rows.labels, partialLogits, gates), under });
      effects.push(...ofCell.map((effect) => ({ scenario: scenarios[k]!, task, rows: looked.length, ...effect })));
      await betweenCells?.();
    }
  }
  return effects;
}

/** One cell, each [rows]. */
interface CellColumns {
  readonly labels: Float32Array;
  /** The task's own of the model as it is. */
  readonly logits: Float64Array;
  /** The composed logits of the task's condition; undefined where it has none. */
  readonly under: Float64Array | undefined;
  readonly flows: readonly Float32Array[];
  readonly gates: readonly Float32Array[];
}

function effectsOfCell({ labels, logits, under, flows, gates }: CellColumns) {
  const asItIs = probabilities(logits, under);
  const changesOf = changesFrom(asItIs, labels);
  let none: ReturnType<typeof changesOf> | undefined;
  return flowNames.map((flow, i) => {
    const [f, g] = [flows[i]!, gates[i]!];
    const changed = (gate: number) => {
      // After a prune one of the two is often what the model does.
      if (g.every((own) => own === gate)) return (none ??= changesOf(asItIs));
      const moved = new Float64Array(logits.length);
      for (let row = 0; row < moved.length; row++) moved[row] = logits[row]! - (gate - g[row]!) * f[row]!;
      return changesOf(probabilities(moved, under));
    };
    const [out, into] = [changed(1), changed(0)];
    return {
      flow,
      removed: meanOf(g),
      outAuc: out.auc,
      outLogloss: out.logloss,
      inAuc: into.auc,
      inLogloss: into.logloss,
    };
  });
}

/** `cells`: places [row, task] among labels, partial logits [.., 5] and gates [.., 4]. */
function columnsOf(
  cells: Uint32Array,
  allLabels: Float32Array,
  partialLogits: Float32Array,
  allGates: Float32Array,
): Omit<CellColumns, "under"> {
  const count = cells.length;
  const columns = () => flowNames.map(() => new Float32Array(count));
  const [labels, logits, flows, gates] = [new Float32Array(count), new Float64Array(count), columns(), columns()];
  for (let row = 0; row < count; row++) {
    const cell = cells[row]!;
    labels[row] = allLabels[cell]!;
    let logit = partialLogits[cell * 5]!;
    for (let i = 0; i < 4; i++) {
      const [f, g] = [partialLogits[cell * 5 + 1 + i]!, allGates[cell * 4 + i]!];
      flows[i]![row] = f;
      gates[i]![row] = g;
      logit -= g * f;
    }
    logits[row] = logit;
  }
  return { labels, logits, flows, gates };
}

/** σ, rounded as the probabilities of a model are [rows]. */
function probabilities(logits: Float64Array, under: Float64Array | undefined): Float32Array {
  const result = new Float32Array(logits.length);
  for (let row = 0; row < result.length; row++) {
    const logit = under ? composedLogit(under[row]!, logits[row]!) : logits[row]!;
    result[row] = 1 / (1 + Math.exp(-logit));
  }
  return result;
}

/** All of them, or `most`: every (n / most)-th. */
function evenlySpaced(own: Uint32Array, most: number): Uint32Array {
  if (own.length <= most) return own;
  return Uint32Array.from({ length: most }, (_, j) => own[Math.floor((j * own.length) / most)]!);
}

/** Null where there are no rows, or the gates are not finite. */
function meanOf(gates: Float32Array): number | null {
  const mean = gates.reduce((sum, gate) => sum + gate, 0) / gates.length;
  return Number.isFinite(mean) ? mean : null;
}
