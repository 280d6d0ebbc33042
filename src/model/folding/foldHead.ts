/** Folds an AutoIFS head of any depth: from the backbone's representations to the gated logits. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { NamedArrays } from "../checkpoint.ts";
import type { AutoIfsHead } from "../spec.ts";
import type { Constants } from "./constants.ts";
import { foldDeepTasks } from "./deepTasks.ts";
import { foldFlatTasks } from "./flatTasks.ts";
import { headWeights } from "./headWeights.ts";
import { foldScenarioLayer } from "./scenarioLayer.ts";

export interface FoldHeadOptions {
  readonly constants: Constants;
  readonly head: AutoIfsHead;
  readonly arrays: NamedArrays;
  readonly tasks: number;
  /** True where the backbone gives one representation per task. */
  readonly perTask: boolean;
  /** The only scenario that is served; undefined for all. */
  readonly only: number | undefined;
  /** [S, T, 4]; undefined where every row has gates of its own. */
  readonly cellGates: readonly number[] | undefined;
}

/** `rowGates` [batch, 4T] → logits [batch, T]. */
export type FoldedHead = (
  p: Params,
  representations: readonly Tensor2D[],
  scenario: Tensor1D | undefined,
  rowGates: Tensor2D | undefined,
) => Tensor2D;

export function foldHead(options: FoldHeadOptions): FoldedHead {
  const { constants, head, arrays, tasks: T, perTask, only, cellGates } = options;
  const weights = headWeights(head, arrays);
  const cellGate = cellGates && ((k: number, m: number, i: number): number => cellGates[(k * T + m) * 4 + i]!);
  const layers = weights.scenarioLayers.map((layer, j) => ({ constants, layer, only, name: `head/scenario.${j}` }));
  const earlier = layers.slice(0, -1).map((layer) => foldScenarioLayer(layer));
  const all = Array.from({ length: T }, (_, m) => m);

  const streams = (perTask ? all.map((m) => [m]) : [all]).map((tasks) => {
    const fold = head.taskLayers.length === 0 ? foldFlatTasks : foldDeepTasks;
    const { extra, logits } = fold({ constants, weights, only, tasks, cellGate });
    const last = foldScenarioLayer({ ...layers.at(-1)!, ...(extra ? { extra } : {}) });
    return (p: Params, representation: Tensor2D, scenario: Tensor1D | undefined, rowGates: Tensor2D | undefined) => {
      const u = earlier.reduce((x, layer) => layer(p, x, scenario).z, representation);
      const first = 4 * tasks[0]!;
      const own = rowGates && perTask ? tf.slice2d(rowGates, [0, first], [-1, 4]) : rowGates;
      return logits(p, { u, scenario, ...last(p, u, scenario) }, own); // [batch, tasks]
    };
  });
  return (p, representations, scenario, rowGates) => {
    const logits = streams.map((stream, i) => stream(p, representations[i]!, scenario, rowGates));
    return logits.length === 1 ? logits[0]! : tf.concat2d(logits, 1);
  };
}
