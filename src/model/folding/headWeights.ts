/** The arrays of an AutoIFS head as matrices, layer by layer. */
import type { NamedArrays } from "../checkpoint.ts";
import type { AutoIfsHead } from "../spec.ts";
import { columnsScaled, type Matrix, matrixFrom, sum, rowOf } from "./linear.ts";

/** A shared map and low-rank maps per scenario or task: x·(kernel + A[i]·B[i]) + bias + c[i]. */
export interface LoraWeights {
  /** [in, out] */
  readonly kernel: Matrix;
  /** [1, out] */
  readonly bias: Matrix;
  /** Each [in, r]. */
  readonly A: readonly Matrix[];
  /** Each [r, out]. */
  readonly B: readonly Matrix[];
  /** Each [1, out]. */
  readonly c: readonly Matrix[];
  /** Batch norm in evaluation: x·scale + shift; absent where the layer has none. */
  readonly norm?: { readonly scale: Float64Array; readonly shift: Matrix };
}

export interface HeadWeights {
  readonly scenarioLayers: readonly LoraWeights[];
  readonly taskLayers: readonly LoraWeights[];
}

export function headWeights(head: AutoIfsHead, arrays: NamedArrays): HeadWeights {
  const taskLayers = head.taskLayers.length + 1;
  return {
    scenarioLayers: head.scenarioLayers.map((_, j) => loraWeights(arrays, `head/scenario.${j}`, head.batchNorm)),
    taskLayers: Array.from({ length: taskLayers }, (_, j) =>
      loraWeights(arrays, `head/task.${j}`, head.batchNorm && j < taskLayers - 1),
    ),
  };
}

/** The linear part of batch norm goes into what stands before it: matrices lose their mean and gain their scale. */
export const normed = ({ norm }: LoraWeights, kernel: Matrix): Matrix =>
  norm ? columnsScaled(kernel, norm.scale) : kernel;

export const normedBias = (layer: LoraWeights, bias: Matrix): Matrix =>
  layer.norm ? sum(normed(layer, bias), layer.norm.shift) : bias;

function loraWeights(arrays: NamedArrays, name: string, hasNorm: boolean): LoraWeights {
  const of = (suffix: string) => arrays[`${name}.${suffix}`]!;
  const stack = (suffix: string): Matrix[] => {
    const array = of(suffix);
    return Array.from({ length: array.shape[0]! }, (_, i) => matrixFrom(array, i));
  };
  const c = of("loraBias"); // [count, out]
  const [count, out] = c.shape as [number, number];
  return {
    kernel: matrixFrom(of("shared.kernel")),
    bias: matrixFrom(of("shared.bias")),
    A: stack("loraA"),
    B: stack("loraB"),
    c: Array.from({ length: count }, (_, i) => rowOf(c.values.subarray(i * out, (i + 1) * out))),
    ...(hasNorm ? { norm: normOf(arrays, `${name}.norm`) } : {}),
  };
}

/** γ(x − μ)/√(σ² + ε) + β = x·scale + shift, with the ε of `batchNorm`. */
function normOf(arrays: NamedArrays, name: string): LoraWeights["norm"] {
  const of = (suffix: string): Float32Array => arrays[`${name}.${suffix}`]!.values;
  const scale = Float64Array.from(of("gamma"), (gamma, i) => gamma / Math.sqrt(of("variance")[i]! + 1e-5));
  const shift = rowOf(Float64Array.from(of("beta"), (beta, i) => beta - of("mean")[i]! * scale[i]!));
  return { scale, shift };
}
