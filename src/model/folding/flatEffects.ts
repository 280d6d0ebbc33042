/**
 * The task side of effects where it is one linear layer: with z = φ(s + p) and z0 = φ(s)
 *
 *     logit = z·[(1 − g3)·v + (1 − g1)·v_m] + z0·[(g3 − g0)·v + (g1 − g2)·v_m] + (1 − g0)·c + (1 − g2)·c_m
 *
 * so one column per task and side serves all scenarios whose gates agree up to a factor, and two serve any gates.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Side } from "./cellTerms.ts";
import type { EffectTasksOptions, FoldedEffects } from "./effectTasks.ts";
import { type Matrix, product, scaled, sideBySide, sum } from "./linear.ts";
import { biasByScenario, type ByScenario, commonWeights, type Weighted, weightedSum } from "./weightedColumns.ts";

export function foldFlatEffects(options: EffectTasksOptions): FoldedEffects {
  const { constants, weights, tasks, scenarios, terms } = options;
  const { bias: c, c: own } = weights.taskLayers[0]!;
  const ofIn = foldSide(options, "in");
  const ofOut = terms.needsOut ? foldSide(options, "out") : undefined;
  const constant = (k: number, m: number): number => {
    const [a, b] = [both(options, k, m, "in"), both(options, k, m, "out")];
    return (a[0] + b[0]) * c.values[0]! + (a[1] + b[1]) * own[m]!.values[0]!;
  };
  const withBias = biasByScenario(
    constants,
    "head/bias",
    tasks.map((m) => scenarios.map((k) => constant(k, m))),
  );
  return (p, sides, scenario) => {
    const logits = withBias(p, ofIn(p, sides.in, scenario), scenario);
    return ofOut ? tf.add<Tensor2D>(ofOut(p, sides.out!, scenario), logits) : logits;
  };
}

/** The factors of v and of v_m on one side of a cell. */
function both({ terms }: EffectTasksOptions, k: number, m: number, side: Side): readonly [number, number] {
  const own = terms.factor(k, m, side, 1);
  return [terms.factor(k, m, side, 0) + own, own];
}

function foldSide(options: EffectTasksOptions, side: Side): ByScenario {
  const { constants, tasks } = options;
  const columns = tasks.flatMap((m, task) => columnsOf(options, m, side).map((column) => ({ ...column, task })));
  const kernels = sideBySide(columns.map(({ kernel }) => kernel)); // [out, columns]
  const common = commonWeights(columns, tasks.length);
  if (common) return constants.affine(`head/${side}`, product(kernels, common));
  const values = constants.affine(`head/${side}`, kernels);
  const sumOf = weightedSum(constants, `head/${side}`, columns, tasks.length);
  return (p, x, scenario) => sumOf(p, values(p, x), scenario);
}

interface Column extends Pick<Weighted, "weights"> {
  /** [out, 1] */
  readonly kernel: Matrix;
}

/** None where no scenario needs the side for the task. */
function columnsOf(options: EffectTasksOptions, m: number, side: Side): readonly Column[] {
  const layer = options.weights.taskLayers[0]!;
  const [v, own] = [layer.kernel, product(layer.A[m]!, layer.B[m]!)];
  const pairs = options.scenarios.map((k) => both(options, k, m, side));
  const first = pairs.find(([a, b]) => a !== 0 || b !== 0);
  if (!first) return [];
  if (pairs.some(([a, b]) => a * first[1] !== b * first[0]))
    return [
      { kernel: v, weights: pairs.map(([a]) => a) },
      { kernel: own, weights: pairs.map(([, b]) => b) },
    ];
  const weights = pairs.map(([a, b]) => (first[0] === 0 ? b / first[1] : a / first[0]));
  return [{ kernel: sum(scaled(v, first[0]), own, first[1]), weights }];
}
