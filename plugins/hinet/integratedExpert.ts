/** One expert made of several: sub-experts on the same rows, mixed by a gate (the paper's sub-expert integration). */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { dense, denseParams, type ForwardMode, mix, mlp, type Params, type ParamSpecs, zeros } from "#plugin";

export interface IntegratedExpert {
  /** `<name>.sub<k>.<layer>.kernel` and `<name>.gate.kernel`, each with its `.bias`. */
  readonly params: ParamSpecs;
  /** Σ_k softmax(x·A + a)_k · MLP_k(x): [batch, inputDim] → [batch, h]. */
  forward(p: Params, x: Tensor2D, mode: ForwardMode): Tensor2D;
}

export function integratedExpert(
  name: string,
  inputDim: number,
  layers: readonly number[],
  count: number,
): IntegratedExpert {
  const gate = `${name}.gate`;
  // A product for each of them: one wide product for all would have to be cut up again, which costs more than it saves.
  const experts = Array.from({ length: count }, (_, k) => mlp(`${name}.sub${k}`, inputDim, layers));
  return {
    params: Object.assign(
      {},
      ...experts.map((expert) => expert.params),
      // Zero kernels: every mixture starts uniform.
      denseParams(gate, inputDim, count, { kernel: zeros }),
    ),
    forward(p, x, mode) {
      const outputs = experts.map((expert) => expert.forward(p, x, mode)); // count × [batch, h]
      return mix(tf.softmax(dense(p, gate, x)), outputs); // [batch, h]
    },
  };
}
