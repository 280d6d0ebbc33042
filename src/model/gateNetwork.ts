/** The selection network: from the embeddings to one logit w per task and flow; a gate of 1 removes the flow (spec §1.4). */
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { dense, denseParams, fanInUniform, type Layer, mlp } from "../plugin/layers.ts";
import type { AutoIfsHead } from "./spec.ts";

/** Φ_gate then one linear head for all tasks; `forward` gives w [batch, 4T], task by task in flow order. */
export function gateNetwork(inputDim: number, tasks: number, head: AutoIfsHead): Layer {
  const init = (inDim: number): { kernel: ReturnType<typeof fanInUniform>; bias: ReturnType<typeof fanInUniform> } => ({
    kernel: fanInUniform(inDim),
    bias: fanInUniform(inDim),
  });
  const hidden = mlp("hidden", inputDim, head.gateLayers, { batchNorm: head.batchNorm, dropout: head.dropout, init });
  const width = head.gateLayers.at(-1)!;
  return {
    params: { ...hidden.params, ...denseParams("flows", width, 4 * tasks, init(width)) },
    buffers: hidden.buffers,
    dropout: hidden.dropout,
    forward: (p, x, mode): Tensor2D => dense(p, "flows", hidden.forward(p, x, mode)), // w [batch, 4T]
  };
}
