/**
 * Embedding tables with one byte per number: row = scale · q, q in −127..127 and one scale per row, so that the largest number of
 * a row is kept exactly but for rounding, and no number is off by more than half a scale.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";

export interface TableArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Int8Array;
}

/** Where the scales [rows, 1] of a table are. */
const scaleOf = (table: string): string => `${table}/scale`;

/** A table [rows, dim] as two arrays, to be read by `tableRows` under the same name. */
export function quantisedTable(name: string, { shape, values }: TableArray): Readonly<Record<string, TableArray>> {
  const [rows, dim] = shape as [number, number];
  const scales = new Float32Array(rows);
  const whole = new Int8Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) largest = Math.max(largest, Math.abs(values[i]!));
    scales[row] = largest / 127;
    // A row of zeros, or of numbers too small for a scale, stays zero.
    if (scales[row] === 0) continue;
    for (let i = row * dim; i < (row + 1) * dim; i++) {
      whole[i] = Math.max(-127, Math.min(127, Math.round(values[i]! / scales[row]!)));
    }
  }
  return { [name]: { shape, values: whole }, [scaleOf(name)]: { shape: [rows, 1], values: scales } };
}

/** The rows of a table, quantised or not [...rows, dim]. */
export function tableRows(p: Params, table: string, rows: Tensor): Tensor {
  const found = tf.gather(p[table]!, rows as tf.Tensor1D);
  const scale = p[scaleOf(table)];
  return scale ? tf.mul(tf.cast(found, "float32"), tf.gather(scale, rows as tf.Tensor1D)) : found;
}
