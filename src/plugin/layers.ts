/** Building blocks for backbones and heads: a layer is its parameters and a pure function over them. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { BufferSpecs, DropoutSpecs, ForwardMode, Initializer, Params, ParamSpec, ParamSpecs } from "./contract.ts";

export const zeros: Initializer = { kind: "constant", value: 0 };
export const ones: Initializer = { kind: "constant", value: 1 };

/** Glorot (Xavier) uniform: U(-a, a) with a = sqrt(6 / (in + out)). */
export function glorotUniform(inDim: number, outDim: number): Initializer {
  return { kind: "uniform", limit: Math.sqrt(6 / (inDim + outDim)) };
}

/** Glorot (Xavier) normal: N(0, 2 / (in + out)). */
export function glorotNormal(inDim: number, outDim: number): Initializer {
  return { kind: "normal", std: Math.sqrt(2 / (inDim + outDim)) };
}

/** PyTorch's default for a Linear, weights and biases alike: U(-1/√in, 1/√in). */
export function fanInUniform(inDim: number): Initializer {
  return { kind: "uniform", limit: 1 / Math.sqrt(inDim) };
}

export function param(shape: readonly number[], init: Initializer): ParamSpec {
  return { shape, init };
}

/** A value by its declared name, as a matrix. */
export function matrix(p: Params, name: string): Tensor2D {
  return p[name] as Tensor2D;
}

export interface DenseOptions {
  /** Default: Glorot uniform. */
  readonly kernel?: Initializer;
  /** Default: zeros. */
  readonly bias?: Initializer;
}

/** Parameters `<name>.kernel` [in, out] and `<name>.bias` [out]. */
export function denseParams(name: string, inDim: number, outDim: number, options: DenseOptions = {}): ParamSpecs {
  return {
    [`${name}.kernel`]: param([inDim, outDim], options.kernel ?? glorotUniform(inDim, outDim)),
    [`${name}.bias`]: param([outDim], options.bias ?? zeros),
  };
}

/** x·K + b: [batch, in] → [batch, out]. */
export function dense(p: Params, name: string, x: Tensor2D): Tensor2D {
  return tf.add(tf.matMul(x, matrix(p, `${name}.kernel`)), p[`${name}.bias`]!); // [batch, out]
}

export interface MlpOptions extends DenseOptions {
  /** Normalise each layer before its ReLU over the batch. Default false. */
  readonly batchNorm?: boolean;
  /** Share of units set to zero after each ReLU in training. Default 0. */
  readonly dropout?: number;
  /** Initialisers from the layer's input width; default as `denseParams`. */
  readonly init?: (inDim: number, outDim: number) => DenseOptions;
}

export interface Layer {
  readonly params: ParamSpecs;
  readonly buffers: BufferSpecs;
  readonly dropout: DropoutSpecs;
  forward(p: Params, x: Tensor2D, mode: ForwardMode): Tensor2D;
}

/** Dropout(ReLU([BN](x·K + b))) for every width; layers are named `<name>.0`, `<name>.1` ... */
export function mlp(name: string, inDim: number, widths: readonly number[], options: MlpOptions = {}): Layer {
  const { batchNorm: normalise = false, dropout: rate = 0, init } = options;
  const inDims = [inDim, ...widths];
  const merge = <T>(of: (width: number, i: number) => Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.assign({}, ...widths.map(of));
  return {
    params: merge((width, i) => ({
      ...denseParams(`${name}.${i}`, inDims[i]!, width, init?.(inDims[i]!, width) ?? options),
      ...(normalise ? batchNormParams(`${name}.${i}.norm`, width) : {}),
    })),
    buffers: merge((width, i) => (normalise ? batchNormBuffers(`${name}.${i}.norm`, width) : {})),
    dropout: merge((width, i) => (rate > 0 ? { [`${name}.${i}`]: { width, rate } } : {})),
    forward(p, x, mode) {
      return widths.reduce<Tensor2D>((h, _, i) => {
        const a = dense(p, `${name}.${i}`, h);
        const b = normalise ? batchNorm(p, `${name}.${i}.norm`, a, mode) : a;
        return rate > 0 ? mode.dropout(`${name}.${i}`, tf.relu(b)) : tf.relu(b); // [batch, width_i]
      }, x);
    },
  };
}

export function batchNormParams(name: string, width: number): ParamSpecs {
  return { [`${name}.gamma`]: param([width], ones), [`${name}.beta`]: param([width], zeros) };
}

export function batchNormBuffers(name: string, width: number): BufferSpecs {
  return { [`${name}.mean`]: { shape: [width], value: 0 }, [`${name}.variance`]: { shape: [width], value: 1 } };
}

/**
 * γ(x − μ)/√(σ² + ε) + β over the batch in training (biased σ²), with the running moments in evaluation.
 * Running moments: r ← (1 − momentum)·r + momentum·batch moment, the variance unbiased, as PyTorch does.
 */
export function batchNorm(p: Params, name: string, x: Tensor2D, mode: ForwardMode): Tensor2D {
  const epsilon = 1e-5;
  const momentum = 0.1;
  const runningMean = p[`${name}.mean`]!; // [width]
  const runningVariance = p[`${name}.variance`]!; // [width]
  let mean: Tensor = runningMean;
  let variance: Tensor = runningVariance;
  if (mode.training) {
    const batch = x.shape[0];
    mean = tf.mean(x, 0); // [width]
    variance = tf.mean(tf.square(tf.sub(x, mean)), 0); // [width]
    const unbiased = tf.mul(variance, batch / Math.max(batch - 1, 1));
    mode.updateBuffer(`${name}.mean`, tf.add(tf.mul(runningMean, 1 - momentum), tf.mul(mean, momentum)));
    mode.updateBuffer(`${name}.variance`, tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(unbiased, momentum)));
  }
  const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))); // [batch, width]
  return tf.add(tf.mul(normal, p[`${name}.gamma`]!), p[`${name}.beta`]!);
}

/**
 * Parameters of a layer whose kernel is a shared one times, cell by cell, one of each scenario's own: `<name>.kernel`
 * [in, out] and `<name>.bias` [out], and for all scenarios side by side `<name>.scenario.kernel` [in, S·out], ones at
 * the start, and `<name>.scenario.bias` [S·out].
 */
export function starDenseParams(name: string, inDim: number, outDim: number, scenarios: number): ParamSpecs {
  return {
    ...denseParams(name, inDim, outDim),
    ...denseParams(`${name}.scenario`, inDim, scenarios * outDim, { kernel: ones }),
  };
}

/** x·(K ∘ K_s) + (b + b_s) with the row's scenario s: [batch, in] → [batch, out]. */
export function starDense(p: Params, name: string, x: Tensor2D, scenarioOneHot: Tensor2D): Tensor2D {
  const [inDim, outDim] = matrix(p, `${name}.kernel`).shape;
  const forEach = (own: Tensor, shared: Tensor, combine: (a: Tensor, b: Tensor) => Tensor): Tensor =>
    combine(tf.reshape(own, [-1, scenarioOneHot.shape[1]!, outDim]), tf.reshape(shared, [-1, 1, outDim]));
  const kernels = forEach(p[`${name}.scenario.kernel`]!, p[`${name}.kernel`]!, tf.mul); // K ∘ K_s  [in, S, out]
  const biases = forEach(p[`${name}.scenario.bias`]!, p[`${name}.bias`]!, tf.add); // b + b_s  [1, S, out]
  const wide = tf.matMul(x, tf.reshape(kernels, [inDim, -1]) as Tensor2D); // of every scenario  [batch, S·out]
  return ofScenario(tf.add(wide, tf.reshape(biases, [-1])), scenarioOneHot);
}

/** What belongs to each row's scenario, of all scenarios side by side: [batch, S·n] → [batch, n]. */
export function ofScenario(wide: Tensor2D, scenarioOneHot: Tensor2D): Tensor2D {
  const scenarios = scenarioOneHot.shape[1]!;
  if (scenarios === 1) return wide;
  const apart = tf.reshape(wide, [-1, scenarios, wide.shape[1]! / scenarios]); // [batch, S, n]
  return tf.sum(tf.mul(apart, tf.expandDims(scenarioOneHot, 2)), 1); // [batch, n]
}

/** Σ_k g[:, k]·E_k: weights [batch, K] over K tensors [batch, width] → [batch, width]. */
export function mix(weights: Tensor2D, experts: readonly Tensor2D[]): Tensor2D {
  // tfjs cannot differentiate a split into one part.
  const g = experts.length === 1 ? [weights] : tf.split(weights, experts.length, 1); // K × [batch, 1]
  return experts.map((expert, k) => tf.mul<Tensor2D>(g[k]!, expert)).reduce((sum, term) => tf.add(sum, term)); // [batch, width]
}

/** The same values with no gradient through them. */
export function stopGradient<T extends Tensor>(x: T): T {
  return tf.customGrad((y) => ({ value: (y as Tensor).clone(), gradFunc: () => tf.zerosLike(y as Tensor) }))(x) as T;
}
