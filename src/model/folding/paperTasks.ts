/** What folding the task side of the paper's flows needs and gives; the tasks that share a representation are folded together. */
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { CellGate } from "./cellTerms.ts";
import type { Constants } from "./constants.ts";
import type { HeadWeights } from "./headWeights.ts";
import { filledMatrix, type Matrix } from "./linear.ts";
import type { ExtraColumns, ScenarioOutput } from "./scenarioLayer.ts";

export interface TasksOptions {
  readonly constants: Constants;
  readonly weights: HeadWeights;
  /** The only scenario that is served; undefined for all. */
  readonly only: number | undefined;
  /** The tasks that read the representation. */
  readonly tasks: readonly number[];
  /** The gate of flow i in the cell of scenario k and task m; undefined where every row has gates of its own. */
  readonly cellGate: CellGate | undefined;
}

export interface FoldedTasks {
  /** What it wants to find in x. */
  readonly extra?: ExtraColumns;
  /** Logits of the tasks [batch, tasks]; `rowGates` [batch, 4·tasks] where gates are those of rows. */
  logits(p: Params, stream: StreamValues, rowGates: Tensor2D | undefined): Tensor2D;
}

export interface StreamValues extends ScenarioOutput {
  /** Undefined where one scenario is served. */
  readonly scenario: Tensor1D | undefined;
  /** What goes into the last scenario layer [batch, in]. */
  readonly u: Tensor2D;
}

/** [columns, tasks] with −1 where the column is subtracted from the task's logit. */
export function subtraction(taskOfColumn: readonly number[], tasks: readonly number[]): Matrix {
  return filledMatrix(taskOfColumn.length, tasks.length, (i, t) => (taskOfColumn[i] === tasks[t] ? -1 : 0));
}
