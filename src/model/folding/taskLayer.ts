/** Task layers with a task's own map in: x·(K + A_m·B_m) + b + c_m, batch norm's linear part included. */
import * as tf from "@tensorflow/tfjs-core";
import type { Constants, RowMap } from "./constants.ts";
import { type LoraWeights, normed, normedBias } from "./headWeights.ts";
import { product, sum } from "./linear.ts";

export interface OwnTaskMapOptions {
  readonly constants: Constants;
  readonly layer: LoraWeights;
  /** Place of the layer. */
  readonly j: number;
  readonly m: number;
  /** How many tasks have such a map of the same input. */
  readonly count: number;
  /** Whether x·K is wanted on its own too; default false. */
  readonly isSharedUsed?: boolean;
}

/** As one matrix, or the shared and the low-rank map apart where together these are fewer numbers. */
export function ownTaskMap({ constants, layer, j, m, count, isSharedUsed = false }: OwnTaskMapOptions): RowMap {
  const name = `head/task.${j}`;
  const [inDim, out] = [layer.kernel.rows, layer.kernel.columns];
  const bias = normedBias(layer, sum(layer.bias, layer.c[m]!));
  const [kernel, B] = [normed(layer, layer.kernel), normed(layer, layer.B[m]!)];
  const apart = (isSharedUsed ? 0 : inDim * out) + count * layer.A[m]!.columns * (inDim + out);
  if (count * inDim * out <= apart)
    return constants.affine(`${name}.full.${m}`, sum(kernel, product(layer.A[m]!, B)), bias);
  const shared = constants.affine(`${name}.shared`, kernel);
  const own = constants.lowRank(`${name}.own.${m}`, layer.A[m]!, B, bias);
  return (p, x) => tf.add(own(p, x), shared(p, x));
}
