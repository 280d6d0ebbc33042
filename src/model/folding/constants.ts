/** The arrays of a folded model while it is put together, and the maps that are made of them. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import { type Matrix, product } from "./linear.ts";

export interface FoldedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** A map of rows with its arrays among the folded model's. */
export type RowMap = (p: Params, x: Tensor2D) => Tensor2D;

export interface Constants {
  readonly arrays: Readonly<Record<string, FoldedArray>>;
  /** The name under which the array is kept: `name`, that of an equal one that is there already, or `name` with a number. */
  add(name: string, array: FoldedArray): string;
  /** A matrix in single precision. */
  matrix(name: string, matrix: Matrix): string;
  /** x·kernel + bias, bias [1, columns]. */
  affine(name: string, kernel: Matrix, bias?: Matrix): RowMap;
  /** x·A·B + bias, in two products where that needs fewer numbers than A·B. */
  lowRank(name: string, A: Matrix, B: Matrix, bias: Matrix): RowMap;
}

export function createConstants(): Constants {
  const arrays: Record<string, FoldedArray> = {};

  const add = (name: string, array: FoldedArray): string => {
    for (let count = 1; ; count++) {
      const candidate = count === 1 ? name : `${name}.${count}`;
      const known = arrays[candidate];
      if (known && !isEqual(known, array)) continue;
      arrays[candidate] ??= array;
      return candidate;
    }
  };
  const matrix = (name: string, { rows, columns, values }: Matrix): string =>
    add(name, { shape: [rows, columns], values: Float32Array.from(values) });

  const affine = (name: string, kernel: Matrix, bias?: Matrix): RowMap => {
    const k = matrix(`${name}.kernel`, kernel);
    if (!bias || bias.values.every((x) => x === 0)) return (p, x) => tf.matMul(x, p[k] as Tensor2D);
    const b = add(`${name}.bias`, { shape: [bias.columns], values: Float32Array.from(bias.values) });
    return (p, x) => tf.add(tf.matMul(x, p[k] as Tensor2D), p[b]!);
  };

  return {
    arrays,
    add,
    matrix,
    affine,
    lowRank(name, A, B, bias) {
      if (A.rows * B.columns <= A.values.length + B.values.length) return affine(name, product(A, B), bias);
      const down = affine(`${name}.down`, A);
      const up = affine(`${name}.up`, B, bias);
      return (p, x) => up(p, down(p, x));
    },
  };
}

function isEqual(a: FoldedArray, b: FoldedArray): boolean {
  return (
    a.shape.join() === b.shape.join() &&
    a.values instanceof Int32Array === b.values instanceof Int32Array &&
    a.values.every((x, i) => Object.is(x, b.values[i]))
  );
}
