/**
 * One block of memory for all numbers a training touches at every step, and the native kernels that work on it.
 * The graph reads and writes the same bytes through typed arrays, so nothing is copied between them.
 */
import { readFileSync } from "node:fs";
import { InvalidInputError } from "../errors.ts";

const pageBytes = 65536;
/** One cache line; also what lets kernels overrun a block's end by less than one vector. */
const alignment = 64;

interface Kernels {
  gather(ids: number, n: number, table: number, dim: number, out: number): void;
  scatterAdd(ids: number, n: number, dx: number, dim: number, gradient: number): void;
  adam(
    w: number,
    m: number,
    v: number,
    g: number,
    n: number,
    b1: number,
    b2: number,
    c1: number,
    c2: number,
    rate: number,
    epsilon: number,
    l2: number,
  ): number;
  average(mean: number, values: number, n: number, rate: number): void;
  dropoutMask(out: number, n: number, threshold: number, scale: number, state: number): void;
}

const kernelModule = new WebAssembly.Module(readFileSync(new URL("kernels.wasm", import.meta.url)));

export interface AdamStep {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly learningRate: number;
  /** Added to the gradient as l2·θ before the moments. */
  readonly l2: number;
  /** Counts from 1. */
  readonly step: number;
}

/** Values to train with their gradient and Adam moments; all of one length, all in one `Memory`. */
export interface TrainedArray {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly moment1: Float32Array;
  readonly moment2: Float32Array;
}

/** Blocks are given out and never taken back; the size is fixed because growing would detach every array. */
export class Memory {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  #next = alignment;

  /** Memory for blocks of these lengths (in values of 4 bytes), and no more. At most 4 GiB. */
  static holding(lengths: readonly number[]): Memory {
    return new Memory(lengths.reduce((sum, length) => sum + bytesFor(length), 0));
  }

  private constructor(bytes: number) {
    const pages = Math.ceil((bytes + 2 * alignment) / pageBytes);
    if (pages > 65536)
      throw new InvalidInputError(`memory: expected a model that trains in 4 GiB, got one that needs ${bytes} bytes`);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(kernelModule, { env: { memory: this.#memory } });
    this.#kernels = instance.exports as unknown as Kernels;
  }

  float32(length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#take(length), length);
  }

  int32(length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, this.#take(length), length);
  }

  trained(length: number): TrainedArray {
    return {
      values: this.float32(length),
      gradient: this.float32(length),
      moment1: this.float32(length),
      moment2: this.float32(length),
    };
  }

  /** out[i, :] = table[ids[i], :], with rows of `dim` values. */
  gather(ids: Int32Array, table: Float32Array, dim: number, out: Float32Array): void {
    this.#kernels.gather(ids.byteOffset, ids.length, table.byteOffset, dim, out.byteOffset);
  }

  /** gradient[ids[i], :] += dx[i, :], in the order of i. */
  scatterAdd(ids: Int32Array, dx: Float32Array, dim: number, gradient: Float32Array): void {
    this.#kernels.scatterAdd(ids.byteOffset, ids.length, dx.byteOffset, dim, gradient.byteOffset);
  }

  /**
   * One Adam step with coupled L2 (spec §5); leaves the gradient at zero. False where the gradient had a value that is
   * not finite: the array is spoilt then.
   */
  adam(array: TrainedArray, { beta1, beta2, epsilon, learningRate, l2, step }: AdamStep): boolean {
    const { values, gradient, moment1, moment2 } = array;
    const faults = this.#kernels.adam(
      values.byteOffset,
      moment1.byteOffset,
      moment2.byteOffset,
      gradient.byteOffset,
      values.length,
      beta1,
      beta2,
      1 / (1 - beta1 ** step),
      1 / (1 - beta2 ** step),
      learningRate,
      epsilon,
      l2,
    );
    return faults === 0;
  }

  /** mean += rate·(values − mean): one step of a moving average. */
  average(mean: Float32Array, values: Float32Array, rate: number): void {
    this.#kernels.average(mean.byteOffset, values.byteOffset, values.length, rate);
  }

  /** Each value 0 with probability `rate`, else 1/(1 - rate). `state`: 16 numbers, not all zero, moved on. */
  dropoutMask(out: Float32Array, rate: number, state: Int32Array): void {
    const threshold = Math.floor(rate * 2 ** 32) | 0;
    this.#kernels.dropoutMask(out.byteOffset, out.length, threshold, 1 / (1 - rate), state.byteOffset);
  }

  #take(length: number): number {
    const at = this.#next;
    this.#next += bytesFor(length);
    if (this.#next > this.#memory.buffer.byteLength)
      throw new Error(
        `memory: a block of ${length} values does not fit into the ${this.#memory.buffer.byteLength} bytes that were asked for`,
      );
    return at;
  }
}

function bytesFor(length: number): number {
  return Math.ceil((length * 4) / alignment) * alignment;
}
