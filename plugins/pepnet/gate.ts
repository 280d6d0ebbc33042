/** GateNU of PEPNet: 2σ(φ(u·W1 + b1)·W2 + b2), between 0 and 2, and 1 before training. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { dense, denseParams, matrix, zeros, type Params, type ParamSpecs } from "#plugin";

/** Zero W2, b2: every gate starts at 1, and the model as one without gates. */
export function gateParams(name: string, inDim: number, hidden: number, outDim: number): ParamSpecs {
  return {
    ...denseParams(`${name}.hidden`, inDim, hidden),
    ...denseParams(`${name}.out`, hidden, outDim, { kernel: zeros }),
  };
}

/** Gates [batch, out] of the same input u [batch, in]; their hidden layers are one product. */
export function gates(p: Params, names: readonly string[], u: Tensor2D): Tensor2D[] {
  const kernels = names.map((name) => matrix(p, `${name}.hidden.kernel`));
  const biases = names.map((name) => p[`${name}.hidden.bias`]!);
  const hidden = tf.relu(tf.add<Tensor2D>(tf.matMul(u, tf.concat<Tensor2D>(kernels, 1)), tf.concat(biases))); // [batch, gates·hidden]
  const parts = names.length === 1 ? [hidden] : tf.split<Tensor2D>(hidden, names.length, 1); // tfjs has no gradient of a split into one
  return names.map((name, i) => tf.mul(tf.sigmoid(dense(p, `${name}.out`, parts[i]!)), 2));
}
