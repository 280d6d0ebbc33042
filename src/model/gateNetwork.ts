/** What decides over the flows: one logit w per task and flow; a gate of 1 removes the flow (spec §1.4). */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { BufferSpecs, DropoutSpecs, ForwardMode, Params, ParamSpecs } from "../plugin/contract.ts";
import { dense, denseParams, fanInUniform, matrix, mlp, param, zeros } from "../plugin/layers.ts";
import type { AutoIfsHead } from "./spec.ts";

export interface Gates {
  readonly params: ParamSpecs;
  readonly buffers: BufferSpecs;
  readonly dropout: DropoutSpecs;
  /** w [batch, 4T], task by task in flow order. */
  forward(p: Params, inputs: GateInputs, mode: ForwardMode): Tensor2D;
}

interface GateInputs {
  /** [batch, inputDim] */
  readonly features: Tensor2D;
  /** [batch, S] */
  readonly scenarioOneHot: Tensor2D;
}

/** ROW, the paper's: Φ_gate over the embeddings, then one linear head for all tasks. */
export function gateNetwork(inputDim: number, tasks: number, head: AutoIfsHead): Gates {
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
    forward: (p, { features }, mode) => dense(p, "flows", hidden.forward(p, features, mode)), // w [batch, 4T]
  };
}

/** CELL: one w for all rows of a scenario × task. */
export function cellGates(scenarios: number, tasks: number): Gates {
  return {
    params: { cells: param([scenarios, 4 * tasks], zeros) },
    buffers: {},
    dropout: {},
    forward: (p, { scenarioOneHot }) => tf.matMul(scenarioOneHot, matrix(p, "cells")), // w [batch, 4T]
  };
}
