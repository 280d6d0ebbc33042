/** The plain head: one tower per task on the backbone's representation. The baseline AutoIFS is compared with. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { ForwardMode, Params, ParamSpecs } from "../plugin/contract.ts";
import { dense, denseParams, mlp } from "../plugin/layers.ts";
import type { HeadSizes } from "./autoIfsHead.ts";
import type { TowersHead } from "./spec.ts";

export interface TowersLayers {
  readonly params: ParamSpecs;
  /** Logits of all tasks [batch, T]. */
  forward(p: Params, representations: readonly Tensor2D[], mode: ForwardMode): Tensor2D;
}

export function towersHead({ inputDim, tasks }: HeadSizes, head: TowersHead): TowersLayers {
  const towers = Array.from({ length: tasks }, (_, m) => mlp(`tower.${m}`, inputDim, head.layers));
  const width = head.layers.at(-1) ?? inputDim;
  return {
    params: Object.assign(
      {},
      ...towers.map((tower, m) => ({ ...tower.params, ...denseParams(`tower.${m}.logit`, width, 1) })),
    ) as ParamSpecs,
    forward: (p, representations, mode) =>
      tf.concat2d(
        towers.map((tower, m) => {
          const representation = representations[representations.length > 1 ? m : 0]!;
          return dense(p, `tower.${m}.logit`, tower.forward(p, representation, mode)); // [batch, 1]
        }),
        1,
      ),
  };
}
