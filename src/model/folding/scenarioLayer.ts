/**
 * A folded scenario layer. Its s = u·K + b and p = u·A_k·B_k + c_k are never computed on their own where not even their
 * sum is wanted: a linear function of s is one of u, and one of p is one of the few numbers x = [u·A_k | 1 for k] of a row.
 *
 * Of several scenarios, x [batch, Σ r + extra + S] is one product u·[A_1 | ... | A_S | extra | 0] with ones in the last
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
  /** φ(s) [batch, out], without own maps, where it was asked for. */
  readonly aside: Tensor2D | undefined;
}

export type ScenarioLayer = (p: Params, u: Tensor2D, scenario: Tensor1D | undefined) => ScenarioOutput;

export interface ScenarioLayerOptions {
  readonly constants: Constants;
  readonly name: string;
  readonly layer: LoraWeights;
  /** The only scenario that is served; undefined for all. */
  readonly only: number | undefined;
  readonly extra?: ExtraColumns;
  /** Whether φ(s) is wanted too; default false. */
  readonly aside?: boolean;
}

export function foldScenarioLayer(options: ScenarioLayerOptions): ScenarioLayer {
  if (options.layer.A.every(({ columns }) => columns === 0)) return foldShared(options);
  return options.only === undefined ? foldAll(options) : foldOne(options, options.only);
}

/** The layer with the own maps of some scenarios, and none for the others. */
export function withOwnMapsOf(layer: LoraWeights, own: readonly number[]): LoraWeights {
  const keep = (maps: readonly Matrix[], without: (map: Matrix) => Matrix): readonly Matrix[] =>
    maps.map((map, k) => (own.includes(k) ? map : without(map)));
  return {
    ...layer,
    A: keep(layer.A, ({ rows }) => zeroMatrix(rows, 0)),
    B: keep(layer.B, ({ columns }) => zeroMatrix(0, columns)),
    c: keep(layer.c, ({ columns }) => zeroMatrix(1, columns)),
  };
}

/** A layer without own maps. */
function foldShared({ constants, name, layer, aside }: ScenarioLayerOptions): ScenarioLayer {
  const shared = constants.affine(`${name}.shared`, normed(layer, layer.kernel), normedBias(layer, layer.bias));
  return (p, u) => {
    const z = tf.relu(shared(p, u));
    return { x: undefined, z, aside: aside ? z : undefined };
  };
}

function foldOne({ constants, name, layer, aside }: ScenarioLayerOptions, only: number): ScenarioLayer {
  const [A, B, c] = [layer.A[only]!, layer.B[only]!, layer.c[only]!];
  if (!aside) {
    const merged = normed(layer, sum(layer.kernel, product(A, B)));
    const map = constants.affine(`${name}.full`, merged, normedBias(layer, sum(layer.bias, c)));
    return (p, u) => ({ x: undefined, z: tf.relu(map(p, u)), aside: undefined });
  }
  const shared = constants.affine(`${name}.shared`, normed(layer, layer.kernel), normedBias(layer, layer.bias));
  // p = [u·A | 1]·[B; c]: without a bias of its own the second product can take s for one.
  const one = filledMatrix(1, A.columns + 1, (_, j) => Number(j === A.columns));
  const small = constants.affine(`${name}.small`, sideBySide([A, zeroMatrix(A.rows, 1)]), one);
  const own = constants.affine(`${name}.own`, normed(layer, stacked([B, c])));
  return (p, u) => {
    const s = shared(p, u);
    return { x: undefined, z: tf.relu(tf.add<Tensor2D>(own(p, small(p, u)), s)), aside: tf.relu(s) };
  };
}

function foldAll({ constants, name, layer, extra, aside }: ScenarioLayerOptions): ScenarioLayer {
  const S = layer.A.length;
  const inDim = layer.kernel.rows;
  const scenarioOfColumn = layer.A.flatMap((A, k) => Array.from({ length: A.columns }, () => k));
  const first = scenarioOfColumn.length + (extra?.kernel.columns ?? 0); // of the columns that tell the scenario
  const small = constants.affine(
    `${name}.small`,
    sideBySide([...layer.A, ...(extra ? [extra.kernel] : []), zeroMatrix(inDim, S)]),
    filledMatrix(1, first + S, (_, j) => Number(j >= first)),
  );
  const own = filledMatrix(S, scenarioOfColumn.length, (k, j) => Number(scenarioOfColumn[j] === k));
  const identity = filledMatrix(S, S, (k, j) => Number(j === k));
  const mask = constants.matrix(`${name}.mask`, sideBySide([own, ...(extra ? [extra.mask] : []), identity]));
  const ofX = constants.matrix(
    `${name}.ofX`,
    stacked([
      ...layer.B.map((B) => normed(layer, B)),
      zeroMatrix(extra?.kernel.columns ?? 0, layer.kernel.columns),
      ...layer.c.map((c) => normed(layer, c)),
    ]),
  );
  const shared = constants.affine(`${name}.shared`, normed(layer, layer.kernel), normedBias(layer, layer.bias));
  return (p, u, scenario) => {
    const x = tf.mul<Tensor2D>(small(p, u), tf.gather(p[mask]!, scenario!)); // [batch, Σ r + extra + S]
    const s = shared(p, u);
    const z = tf.relu(tf.add<Tensor2D>(tf.matMul(x, p[ofX] as Tensor2D), s)); // φ(s + p) [batch, out]
    return { x, z, aside: aside ? tf.relu(s) : undefined };
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
