/**
 * How gates of cells are found: they are measured, not descended (docs/adr/0013). The weights are trained while every row
 * leaves out flows by chance, each with the probability of its gate; after every epoch the validation rows say what each
 * flow is worth to each cell, and the gates move there. So a flow cannot hide behind another that makes up for it, and
 * gates never see the rows by which the weights know labels by heart.
 */
import type { SplitRows } from "../data/spec.ts";
import { composedLogit, type TaskConditions } from "../taskConditions.ts";
import { answeredLogits } from "./answeredLogits.ts";
import type { SearchParameters } from "./hyperParameters.ts";

/** Flows in order sh→sh, k→m, sh→m, k→sh. */
const flows = [0, 1, 2, 3] as const;
/**
 * What several scenarios or tasks share is learned first, what belongs to one of them next, what belongs to one cell last:
 * shares of the epochs after which a flow opens, and in which its gate settles after that.
 */
const opens = [0, 0.3, 0.125, 0.125] as const;
const settles = [0.25, 0.55, 0.25, 0.25] as const;
/** A gate begins with a temperature that is lower than the final one by this. */
const warming = 50;
/** Some rows go with and without every flow to the end, or a gate could never be found wrong. */
const least = 0.05;
/** w of a flow that is not open yet: removed at every temperature. */
const closed = 1;

type Numbers = Pick<SearchParameters, "epochs" | "finalTemperature" | "gateInitialBias">;

const opensAt = (flow: number, epochs: number): number => Math.min(Math.round(opens[flow]! * epochs), epochs - 1);

/** w of a search that has not begun [S·T·4]: only sh→sh is open. */
export function firstGates(cells: number, epochs: number): Float32Array {
  return new Float32Array(cells * 4).map((_, i) => (opensAt(i % 4, epochs) === 0 ? 0 : closed));
}

/** The probability with which a training row of a cell leaves out a flow in an epoch (from 0) [S·T·4]. */
export function removalProbabilities(w: Float32Array, epoch: number, numbers: Numbers): Float64Array {
  const { epochs, finalTemperature, gateInitialBias } = numbers;
  return Float64Array.from(w, (value, i) => {
    const flow = i % 4;
    const open = opensAt(flow, epochs);
    if (epoch < open) return 1;
    if (epoch === open) return sigmoid(gateInitialBias);
    const settled = Math.min(1, (epoch - 1 - open) / Math.max(1, settles[flow]! * epochs));
    const temperature = finalTemperature / warming ** (1 - settled);
    const probability = sigmoid(temperature * value + (1 - settled) * gateInitialBias);
    return Math.min(1 - least, Math.max(least, probability));
  });
}

export interface GateMeasurement {
  readonly rows: SplitRows;
  /** Full and the four flows [rows, T, 5]. */
  readonly partialLogits: Float32Array;
  readonly scenarios: number;
  readonly tasks: number;
  /** Where tasks are conditional: the gates that their conditions have in the meantime [rows, T, 4]. */
  readonly conditional?: { readonly conditions: TaskConditions; readonly gates: Float32Array };
}

/**
 * w after an epoch (from 0): how much lower the log-loss of a cell is, in nats per row, without the flow than with it,
 * over all choices of the other three as likely as their gates make them, plus what a flow has to earn (−λ/4). A moving
 * average with rate `gateLearningRate`. A cell without rows keeps its gates.
 */
export function measuredGates(
  w: Float32Array,
  epoch: number,
  measurement: GateMeasurement,
  numbers: Numbers & Pick<SearchParameters, "gateLearningRate" | "gateRegulariser">,
): Float32Array {
  const probabilities = removalProbabilities(w, epoch, numbers);
  const losses = lossesOfChoices(measurement);
  return w.map((before, i) => {
    const [cell, flow] = [Math.floor(i / 4), i % 4];
    const open = opensAt(flow, numbers.epochs);
    if (epoch + 1 < open || Number.isNaN(losses[cell * 16]!)) return before;
    if (epoch + 1 === open) return 0;
    const others = flows.filter((other) => other !== flow);
    let gain = -numbers.gateRegulariser / 4;
    for (let choice = 0; choice < 16; choice++) {
      if (removes(choice, flow)) continue;
      const likely = others
        .map((other) =>
          removes(choice, other) ? probabilities[cell * 4 + other]! : 1 - probabilities[cell * 4 + other]!,
        )
        .reduce((product, p) => product * p, 1);
      gain += likely * (losses[cell * 16 + choice]! - losses[cell * 16 + (choice | (1 << flow))]!);
    }
    return epoch === open ? gain : before + numbers.gateLearningRate * (gain - before);
  });
}

const removes = (choice: number, flow: number): boolean => (choice & (1 << flow)) !== 0;

/** Mean log-loss of every cell under each of the 16 choices of flows to remove (bit i: flow i) [S·T, 16]; NaN without rows. */
function lossesOfChoices({ rows, partialLogits, scenarios, tasks, conditional }: GateMeasurement): Float64Array {
  const answered = conditional && answeredLogits({ partialLogits, ...conditional }, conditional.conditions);
  const sums = new Float64Array(scenarios * tasks * 16);
  const counts = new Float64Array(scenarios);
  for (let row = 0; row < rows.rows; row++) {
    counts[rows.scenario[row]!]!++;
    for (let m = 0; m < tasks; m++) {
      const cell = rows.scenario[row]! * tasks + m;
      const at = (row * tasks + m) * 5;
      const label = rows.labels[row * tasks + m]!;
      const condition = conditional?.conditions[m] ?? null;
      for (let choice = 0; choice < 16; choice++) {
        let logit = partialLogits[at]!;
        for (const flow of flows) if (removes(choice, flow)) logit -= partialLogits[at + 1 + flow]!;
        if (condition !== null) logit = composedLogit(answered![row * tasks + condition]!, logit);
        sums[cell * 16 + choice]! += Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)));
      }
    }
  }
  return sums.map((sum, i) => sum / counts[Math.floor(i / 16 / tasks)]!);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
