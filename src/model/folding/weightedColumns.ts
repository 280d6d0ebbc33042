/** Sums of columns by task, each times a weight that may differ from scenario to scenario. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { Constants } from "./constants.ts";
import { filledMatrix, type Matrix } from "./linear.ts";

export interface Weighted {
  /** Place of the task that it adds to. */
  readonly task: number;
  /** By served scenario. */
  readonly weights: readonly number[];
}

/** Columns x [batch, columns] → [batch, tasks], as it is done in the row's scenario. */
export type ByScenario = (p: Params, x: Tensor2D, scenario: Tensor1D | undefined) => Tensor2D;

/** [columns, tasks] with the weights, where they are the same in all scenarios; undefined elsewhere. */
export function commonWeights(columns: readonly Weighted[], tasks: number): Matrix | undefined {
  if (!columns.every(({ weights }) => isConstant(weights))) return undefined;
  return filledMatrix(columns.length, tasks, (c, t) => (columns[c]!.task === t ? columns[c]!.weights[0]! : 0));
}

export function weightedSum(
  constants: Constants,
  name: string,
  columns: readonly Weighted[],
  tasks: number,
): ByScenario {
  const common = commonWeights(columns, tasks);
  if (common) return summed(constants, name, common);
  const table = filledMatrix(columns[0]!.weights.length, columns.length, (k, c) => columns[c]!.weights[k]!);
  const weights = constants.matrix(`${name}.weights`, table);
  const ofTask = filledMatrix(columns.length, tasks, (c, t) => Number(columns[c]!.task === t));
  const sum = summed(constants, name, ofTask);
  return (p, x, scenario) => sum(p, tf.mul<Tensor2D>(x, tf.gather(p[weights]!, scenario!)), scenario);
}

/** x + bias, the bias by task and then by served scenario. */
export function biasByScenario(constants: Constants, name: string, bias: readonly (readonly number[])[]): ByScenario {
  if (bias.flat().every((number) => number === 0)) return (_, x) => x;
  if (bias.every(isConstant)) {
    const common = filledMatrix(1, bias.length, (_, t) => bias[t]![0]!);
    const row = constants.matrix(name, common);
    return (p, x) => tf.add(x, p[row]!);
  }
  const byScenario = filledMatrix(bias[0]!.length, bias.length, (k, t) => bias[t]![k]!);
  const table = constants.matrix(name, byScenario);
  return (p, x, scenario) => tf.add(x, tf.gather(p[table]!, scenario!));
}

function summed(constants: Constants, name: string, kernel: Matrix): ByScenario {
  const { rows, columns, values } = kernel;
  if (rows === columns && values.every((x, i) => x === Number(i % (rows + 1) === 0))) return (_, x) => x;
  return constants.affine(`${name}.sum`, kernel);
}

const isConstant = (numbers: readonly number[]): boolean => numbers.every((number) => number === numbers[0]);
