/**
 * A folded scenario layer. Its s = u·K + b and p = u·A_k·B_k + c_k are never computed on their own where not even their
 * sum is wanted: a linear function of s is one of u, and one of p is one of the few numbers x = [u·A_k | 1 for k] of a row.
 *
 * Of several scenarios, x [batch, S·r + extra + S] is one product u·[A_1 | ... | A_S | extra | 0] with ones in the last
 * columns, times a mask per scenario. Of one scenario there is no x: all is a function of u.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { Constants } from "./constants.ts";
import { type LoraWeights, normed, normedBias } from "./headWeights.ts";
import { filledMatrix, type Matrix, product, sideBySide, stacked, sum, zeroMatrix } from "./linear.ts";

/** Further columns of x: u·kernel, kept in the rows of the scenarios whose mask has 1. Several scenarios only. */
export interface ExtraColumns {
  /** [in, columns] */
  readonly kernel: Matrix;
  /** [S, columns] */
  readonly mask: Matrix;
}

export interface ScenarioOutput {
  /** Undefined where one scenario is served. */
  readonly x: Tensor2D | undefined;
  /** φ(s + p) [batch, out] */
  readonly z: Tensor2D;
}

export type ScenarioLayer = (p: Params, u: Tensor2D, scenario: Tensor1D | undefined) => ScenarioOutput;

export interface ScenarioLayerOptions {
  readonly constants: Constants;
  readonly name: string;
  readonly layer: LoraWeights;
  /** The only scenario that is served; undefined for all. */
  readonly only: number | undefined;
  readonly extra?: ExtraColumns;
}

export function foldScenarioLayer({ constants, name, layer, only, extra }: ScenarioLayerOptions): ScenarioLayer {
  if (only !== undefined) {
    const merged = sum(layer.kernel, product(layer.A[only]!, layer.B[only]!));
    const bias = sum(layer.bias, layer.c[only]!);
    const map = constants.affine(`${name}.full`, normed(layer, merged), normedBias(layer, bias));
    return (p, u) => ({ x: undefined, z: tf.relu(map(p, u)) });
  }
  const S = layer.A.length;
  const inDim = layer.kernel.rows;
  const rank = layer.A[0]!.columns;
  const width = extra?.kernel.columns ?? 0;
  const ones = filledMatrix(1, S * rank + width + S, (_, j) => Number(j >= S * rank + width));
  const small = constants.affine(
    `${name}.small`,
    sideBySide([...layer.A, ...(extra ? [extra.kernel] : []), zeroMatrix(inDim, S)]),
    ones,
  );
  const own = filledMatrix(S, S * rank, (k, j) => Number(Math.floor(j / rank) === k));
  const identity = filledMatrix(S, S, (k, j) => Number(j === k));
  const mask = constants.matrix(`${name}.mask`, sideBySide([own, ...(extra ? [extra.mask] : []), identity]));
  // b goes into every c_k, as each row has one scenario.
  const ofX = constants.matrix(
    `${name}.ofX`,
    stacked([
      ...layer.B.map((B) => normed(layer, B)),
      zeroMatrix(width, layer.kernel.columns),
      ...layer.c.map((c) => normedBias(layer, sum(layer.bias, c))),
    ]),
  );
  const shared = constants.affine(`${name}.shared`, normed(layer, layer.kernel));
  return (p, u, scenario) => {
    const x = tf.mul<Tensor2D>(small(p, u), tf.gather(p[mask]!, scenario!)); // [batch, S·r + extra + S]
    const a = tf.add<Tensor2D>(tf.matMul(x, p[ofX] as Tensor2D), shared(p, u)); // s + p [batch, out]
    return { x, z: tf.relu(a) };
  };
}

/**
 * p·M + bias as a function of x, as rows of a matrix: M [out, columns] may differ from scenario to scenario, the extra
 * columns count nothing.
 */
export function ofPrivate(layer: LoraWeights, extra: number, M: (k: number) => Matrix, bias: (k: number) => Matrix) {
  const scenarios = layer.A.map((_, k) => k);
  return stacked([
    ...scenarios.map((k) => product(layer.B[k]!, M(k))),
    zeroMatrix(extra, M(0).columns),
    ...scenarios.map((k) => sum(product(layer.c[k]!, M(k)), bias(k))),
  ]);
}

/** p·M of the only scenario as a function of u: kernel and bias. */
export function ofPrivateAlone(layer: LoraWeights, only: number, M: Matrix): { kernel: Matrix; bias: Matrix } {
  return {
    kernel: product(layer.A[only]!, product(layer.B[only]!, M)),
    bias: product(layer.c[only]!, M),
  };
}

/** s·M as a function of u: kernel and bias. */
export function ofShared(layer: LoraWeights, M: Matrix): { kernel: Matrix; bias: Matrix } {
  return { kernel: product(layer.kernel, M), bias: product(layer.bias, M) };
}
