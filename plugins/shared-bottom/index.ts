/**
 * Shared-Bottom (Caruana 1997): one multi-layer perceptron under every task and scenario. The backbone of the AutoIFS
 * paper; layers start as its code starts them. The scenario enters as one of the fields.
 */
import { z } from "zod";
import { definePlugin, fanInUniform, mlp } from "#plugin";

const config = z.strictObject({
  layers: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(8)
    .default([1024, 512])
    .describe("Widths of the layers, first to last; the last one is the width of the representation."),
  batchNorm: z
    .boolean()
    .default(false)
    .describe(
      "Normalise every layer over the batch before its ReLU; rows of one training batch then depend on each other.",
    ),
  dropout: z.number().min(0).max(0.9).default(0).describe("Share of units set to zero after every ReLU in training."),
});

export default definePlugin({
  name: "shared-bottom",
  paper: {
    title: "Multitask Learning",
    venue: "Machine Learning 28, 1997",
    url: "https://doi.org/10.1023/A:1007379606734",
  },
  summary: "One trunk shared by all scenarios and tasks; the backbone of the AutoIFS paper.",
  config,
  build({ inputDim }, { layers, batchNorm, dropout }) {
    const trunk = mlp("layer", inputDim, layers, {
      batchNorm,
      dropout,
      init: (inDim) => ({ kernel: fanInUniform(inDim), bias: fanInUniform(inDim) }),
    });
    return {
      outputDim: layers.at(-1)!,
      perTask: false,
      params: trunk.params,
      buffers: trunk.buffers,
      dropout: trunk.dropout,
      forward: (p, inputs) => trunk.forward(p, inputs.features, inputs), // h_L  [batch, H]
    };
  },
});
