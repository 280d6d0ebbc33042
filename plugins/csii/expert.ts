/**
 * One scenario's expert: a multi-layer perceptron whose last layer gives K sub-outputs, which attention pools into one. It
 * is read by rows of every scenario; with `own` only those of its own teach it.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { denseParams, glorotUniform, matrix, mix, param, type Params, type ParamSpecs } from "#plugin";

export interface ExpertSizes {
  readonly inputDim: number;
  /** Widths of the layers; the last is H. */
  readonly layers: readonly number[];
  /** K. */
  readonly subOutputs: number;
}

export function expertParams(name: string, { inputDim, layers, subOutputs }: ExpertSizes): ParamSpecs {
  const inDims = [inputDim, ...layers];
  const last = layers.length - 1;
  return Object.assign(
    {},
    ...layers.map((width, l) => {
      // Each sub-output starts as a layer of its own would.
      const kernel = glorotUniform(inDims[l]!, width);
      return denseParams(`${name}.${l}`, inDims[l]!, l === last ? width * subOutputs : width, { kernel });
    }),
  );
}

/** Of the pooling, one for all experts; none where there is nothing to pool. */
export function poolingParams(name: string, { layers, subOutputs }: ExpertSizes): ParamSpecs {
  const width = layers.at(-1)!;
  return subOutputs > 1 ? { [name]: param([width, 1], glorotUniform(width, 1)) } : {};
}

/**
 * Σ_k softmax_k(U_k·w/√H)·U_k over the sub-outputs U: x [batch, in] → [batch, H]. With `own` [batch, 1], which is 1 for rows of
 * the expert's scenario, the others' gradients reach x but not the parameters.
 */
export function expert(
  p: Params,
  names: { readonly expert: string; readonly pooling: string },
  { layers, subOutputs }: ExpertSizes,
  x: Tensor2D,
  own?: Tensor2D,
): Tensor2D {
  const h = layers.reduce<Tensor2D>((below, _, l) => {
    const [kernel, bias] = [matrix(p, `${names.expert}.${l}.kernel`), p[`${names.expert}.${l}.bias`]!];
    return tf.relu(own ? taughtBy(own, below, kernel, bias) : tf.add(tf.matMul(below, kernel), bias));
  }, x); // [batch, K·H]
  if (subOutputs === 1) return h;
  const u = tf.split<Tensor2D>(h, subOutputs, 1); // K × [batch, H]
  const scores = u.map((of) => tf.matMul(of, matrix(p, names.pooling))); // K × [batch, 1]
  return mix(tf.softmax(tf.div<Tensor2D>(tf.concat(scores, 1), Math.sqrt(layers.at(-1)!))), u);
}

/** x·K + b, of which K and b get their gradients from the rows alone where `own` is 1. */
function taughtBy(own: Tensor2D, x: Tensor2D, kernel: Tensor2D, bias: Tensor): Tensor2D {
  const layer = tf.customGrad((...args) => {
    const [a, k, b, save] = args as unknown as [Tensor2D, Tensor2D, Tensor, (tensors: Tensor[]) => void];
    save([a, k, own]);
    return {
      value: tf.add(tf.matMul(a, k), b),
      gradFunc(dy: Tensor, saved: Tensor[]) {
        const [input, weights, mask] = saved as [Tensor2D, Tensor2D, Tensor2D];
        const ownDy = tf.mul<Tensor2D>(dy, mask); // [batch, out]
        return [
          tf.matMul(dy as Tensor2D, weights, false, true), // [batch, in]
          tf.matMul(input, ownDy, true, false), // [in, out]
          tf.sum(ownDy, 0), // [out]
        ];
      },
    };
  });
  return layer(x, kernel, bias) as Tensor2D;
}
