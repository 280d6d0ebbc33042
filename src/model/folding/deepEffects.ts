/**
 * The task side of effects where it has hidden layers: one chain of maps per y(a, b) that some cell needs. Those without
 * a task's own maps are the same for all tasks and computed once.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Side } from "./cellTerms.ts";
import type { RowMap } from "./constants.ts";
import type { EffectTasksOptions, FoldedEffects } from "./effectTasks.ts";
import { normed, normedBias } from "./headWeights.ts";
import { ownTaskMap } from "./taskLayer.ts";
import { type Weighted, weightedSum } from "./weightedColumns.ts";

interface Term extends Weighted {
  readonly side: Side;
  readonly m: number;
  /** Whether the task's own maps are in: 1, or out: 0. */
  readonly b: 0 | 1;
}

export function foldDeepEffects({ constants, weights, tasks, scenarios, terms }: EffectTasksOptions): FoldedEffects {
  const sides = ["in", "out"] as const;
  const all = tasks.flatMap((m, task) => sides.flatMap((side) => ([1, 0] as const).map((b) => ({ side, m, b, task }))));
  const used = all
    .map(({ m, side, b, task }): Term => {
      const weights = scenarios.map((k) => terms.factor(k, m, side, b));
      return { side, m, b, task, weights };
    })
    .filter(({ weights }) => weights.some((weight) => weight !== 0));

  const chainOf = ({ side, m, b }: Term): RowMap => {
    const ofSide = used.filter((term) => term.side === side);
    const count = ofSide.filter((term) => term.b === 1).length;
    const isSharedUsed = ofSide.some((term) => term.b === 0);
    const maps = weights.taskLayers.map((layer, j) =>
      b === 1
        ? ownTaskMap({ constants, layer, j, m, count, isSharedUsed })
        : constants.affine(`head/task.${j}.shared`, normed(layer, layer.kernel), normedBias(layer, layer.bias)),
    );
    return (p, x) => maps.reduce((y, map, j) => map(p, j === 0 ? y : tf.relu(y)), x);
  };
  const keyOf = ({ side, m, b }: Term): string => (b === 1 ? `${side}.${m}` : side);
  const chains = new Map(used.map((term) => [keyOf(term), { side: term.side, chain: chainOf(term) }]));
  const sum = weightedSum(constants, "head/terms", used, tasks.length);
  return (p, given, scenario) => {
    const values = new Map([...chains].map(([key, { side, chain }]) => [key, chain(p, given[side]!)]));
    const columns = used.map((term) => values.get(keyOf(term))!);
    return sum(p, tf.concat2d(columns, 1), scenario); // [batch, tasks]
  };
}
