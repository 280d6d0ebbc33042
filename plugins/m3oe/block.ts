/** The block M3oE is made of: ReLU(LayerNorm(x·W + b)), several on one input as one matrix product. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { denseParams, ones, param, type Params, type ParamSpecs, zeros } from "#plugin";

const epsilon = 1e-5;

/** Parameters `<name>.kernel` [in, out], `<name>.bias`, `<name>.gamma` and `<name>.beta` [out]. */
export function blockParams(name: string, inDim: number, outDim: number): ParamSpecs {
  return {
    ...denseParams(name, inDim, outDim),
    [`${name}.gamma`]: param([outDim], ones),
    [`${name}.beta`]: param([outDim], zeros),
  };
}

/** ReLU(γ(y − μ)/√(σ² + ε) + β), y = x·W + b, μ and σ² over the units of a block: [batch, in] → [batch, blocks, out]. */
export function blocks(p: Params, names: readonly string[], x: Tensor2D): Tensor3D {
  const of = (part: string, axis: number): Tensor =>
    tf.stack(
      names.map((name) => p[`${name}.${part}`]!),
      axis,
    );
  // The mean of y over units is linear in x: W and b without their means over units give y − μ at once, which spares
  // two passes over what is large here.
  const kernels = withoutMean(of("kernel", 1)); // [in, blocks, out]
  const biases = withoutMean(of("bias", 0)); // [blocks, out]
  const [inDim, count, outDim] = kernels.shape as [number, number, number];
  const wide = tf.matMul(x, tf.reshape(kernels, [inDim, count * outDim]) as Tensor2D);
  const centred = tf.reshape(tf.add(wide, tf.reshape(biases, [-1])), [-1, count, outDim]); // y − μ  [batch, blocks, out]
  const variance = tf.mean(tf.square(centred), 2, true); // [batch, blocks, 1]
  const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.relu(tf.add(tf.mul(normal, of("gamma", 0)), of("beta", 0))); // [batch, blocks, out]
}

/** Blocks upon blocks, `<name>.0`, `<name>.1` ...: [batch, in] → [batch, names, widths.at(-1)]. At least two names. */
export function towers(p: Params, names: readonly string[], widths: readonly number[], x: Tensor2D): Tensor3D {
  const layer = (l: number): string[] => names.map((name) => `${name}.${l}`);
  return widths.slice(1).reduce<Tensor3D>(
    (below, _, l) => {
      const apart = tf.split(below, names.length, 1).map((y) => tf.reshape(y, [-1, widths[l]!]) as Tensor2D);
      return tf.concat3d(
        apart.map((y, i) => blocks(p, [layer(l + 1)[i]!], y)), // [batch, 1, out]
        1,
      );
    },
    blocks(p, layer(0), x),
  );
}

function withoutMean(y: Tensor): Tensor {
  return tf.sub(y, tf.mean(y, -1, true));
}
