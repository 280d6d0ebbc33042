/** Folds an AutoIFS head of any depth: from the backbone's representations to the gated logits. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { NamedArrays } from "../checkpoint.ts";
import type { AutoIfsHead } from "../spec.ts";
import type { Constants } from "./constants.ts";
import { foldEffects } from "./effects.ts";
import { headWeights } from "./headWeights.ts";
import { foldPaperFlows } from "./paperFlows.ts";

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
  const all = Array.from({ length: T }, (_, m) => m);
  const streams = (perTask ? all.map((m) => [m]) : [all]).map((tasks) =>
    head.gates === "CELL" && cellGate
      ? foldEffects({ constants, weights, only, tasks, cellGate })
      : foldPaperFlows({ constants, weights, only, tasks, cellGate }),
  );
  return (p, representations, scenario, rowGates) => {
    const gatesOf = (m: number) => (rowGates && perTask ? tf.slice2d(rowGates, [0, 4 * m], [-1, 4]) : rowGates);
    const logits = streams.map((stream, i) => stream(p, representations[i]!, scenario, gatesOf(i)));
    return logits.length === 1 ? logits[0]! : tf.concat2d(logits, 1);
  };
}
