/** The native kernels again, slow and obvious, in plain JavaScript with float32 rounding. */
import type { AdamStep, TrainedArray } from "../../src/engine/memory.ts";

export function gather(ids: Int32Array, table: Float32Array, dim: number): Float32Array {
  return Float32Array.from([...ids].flatMap((id) => [...table.subarray(id * dim, (id + 1) * dim)]));
}

export function scatterAdd(ids: Int32Array, dx: Float32Array, dim: number, gradient: Float32Array): void {
  for (const [i, id] of ids.entries()) for (let j = 0; j < dim; j++) gradient[id * dim + j]! += dx[i * dim + j]!;
}

export function adam(array: TrainedArray, { beta1, beta2, epsilon, learningRate, l2, step }: AdamStep): void {
  const { values, gradient, moment1, moment2 } = array;
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]! + l2 * values[i]!;
    moment1[i] = beta1 * moment1[i]! + (1 - beta1) * g;
    moment2[i] = beta2 * moment2[i]! + (1 - beta2) * g * g;
    const m = moment1[i]! / (1 - beta1 ** step);
    const v = moment2[i]! / (1 - beta2 ** step);
    values[i]! -= (learningRate * m) / (Math.sqrt(v) + epsilon);
    gradient[i] = 0;
  }
}
