/**
 * One layer of AESM²: experts on the rows, and for every group (scenario or task) a linear gate over them that reads the
 * rows and the embeddings that say which scenario (and task) they are of.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import {
  dense,
  denseParams,
  type ForwardMode,
  glorotUniform,
  matrix,
  mlp,
  type NoiseSpecs,
  param,
  type Params,
  type ParamSpecs,
} from "#plugin";
import { type Choice, chooseExperts, type ChooseOptions } from "./chooseExperts.ts";

export interface ExpertLayerOptions extends ChooseOptions {
  readonly inDim: number;
  /** Widths of the layers of every expert. */
  readonly layers: readonly number[];
  readonly experts: number;
  readonly groups: number;
  /** Widths by name of the embeddings that the gates read. */
  readonly indicators: Readonly<Record<string, number>>;
  /** Standard deviation; 0: none. */
  readonly noise: number;
  /** Whose choices are made apart: each has noise of its own. */
  readonly paths: readonly string[];
}

export interface ExpertLayer {
  /** `<name>.expert<k>...`, `<name>.gate.kernel` [inDim, groups·n], `.bias`, and `<name>.gate.<indicator>` [width, groups·n]. */
  readonly params: ParamSpecs;
  readonly noise: NoiseSpecs;
  readonly paths: readonly string[];
  /** E_k(z): [batch, inDim] → n × [batch, H]. */
  experts(p: Params, z: Tensor2D, mode: ForwardMode): Tensor2D[];
  /** Indicators [batch or 1, width] by name; `own` as in chooseExperts. */
  choose(
    p: Params,
    path: string,
    input: { readonly z: Tensor2D; readonly indicators: Readonly<Record<string, Tensor2D>>; readonly own: Tensor2D },
    mode: ForwardMode,
  ): Choice;
}

export function expertLayer(name: string, options: ExpertLayerOptions): ExpertLayer {
  const { inDim, layers, experts: n, groups, indicators, noise: std, founders, paths } = options;
  const gate = `${name}.gate`;
  const width = groups * n; // the experts for group 0, then those for group 1 ...
  const isNoisy = std > 0 && founders > 1; // with one group there is nothing to choose by
  const experts = Array.from({ length: n }, (_, k) => mlp(`${name}.expert${k}`, inDim, layers));
  const init = glorotUniform(inDim + Object.values(indicators).reduce((sum, dim) => sum + dim, 0), n);
  return {
    paths,
    params: Object.assign(
      {},
      ...experts.map((expert) => expert.params),
      denseParams(gate, inDim, width, { kernel: init }),
      ...Object.entries(indicators).map(([indicator, dim]) => ({
        [`${gate}.${indicator}`]: param([dim, width], init),
      })),
    ),
    noise: isNoisy ? Object.fromEntries(paths.map((path) => [path, { width, std }])) : {},
    experts: (p, z, mode) => experts.map((expert) => expert.forward(p, z, mode)),
    choose(p, path, { z, own, indicators: given }, mode) {
      const logits = Object.entries(given).reduce<Tensor2D>(
        (sum, [indicator, of]) => tf.add(sum, tf.matMul(of, matrix(p, `${gate}.${indicator}`))),
        dense(p, gate, z),
      ); // L = [z, c_s, τ_t]·W_j + b_j of every group j  [batch, groups·n]
      const perGroup = (x: Tensor2D) => tf.reshape(x, [-1, groups, n]);
      const noisy = isNoisy ? mode.addNoise(path, logits) : logits;
      return chooseExperts(perGroup(logits), perGroup(noisy), own, options);
    },
  };
}
