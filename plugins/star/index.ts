/**
 * STAR (Sheng et al., CIKM 2021): one network whose weights are, for each scenario, a shared kernel times one of its
 * own, over an input normalised per scenario; a small auxiliary network adds a logit that knows the scenario.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  definePlugin,
  dense,
  denseParams,
  glorotNormal,
  matrix,
  mlp,
  param,
  starDense,
  starDenseParams,
  zeros,
} from "#plugin";
import { normBuffers, normParams, partitionedNorm } from "./partitionedNorm.ts";

const width = z.int().min(1).max(8192);

const config = z.strictObject({
  layers: z
    .array(width)
    .min(1)
    .max(8)
    .default([512, 256])
    .describe("Widths of the star layers; the last one is the width of the representation."),
  partitionedNorm: z
    .boolean()
    .default(true)
    .describe(
      "Normalise the input with the moments of the row's scenario; in training those of its rows in the batch.",
    ),
  momentum: z
    .number()
    .min(0)
    .max(0.9999)
    .default(0.9)
    .describe("Share of the running moments of the normalisation that a training step keeps."),
  auxiliaryNetwork: z
    .boolean()
    .default(true)
    .describe("Add the logits of a small network over the input and the scenario to those of the tasks."),
  auxiliaryLayers: z
    .array(width)
    .max(8)
    .default([32])
    .describe("Widths of the hidden layers of the auxiliary network; empty for a linear one."),
  scenarioDim: z.int().min(1).max(1024).default(16).describe("Width of the scenario embedding it reads."),
});

export default definePlugin({
  name: "star",
  paper: {
    title: "One Model to Serve All: Star Topology Adaptive Recommender for Multi-Domain CTR Prediction",
    venue: "CIKM 2021",
    url: "https://arxiv.org/abs/2101.11427",
  },
  summary: "One network whose kernels every scenario multiplies by its own, on an input normalised per scenario.",
  config,
  build({ inputDim, scenarios, tasks }, chosen) {
    const { layers, momentum, auxiliaryLayers, scenarioDim } = chosen;
    const inDims = [inputDim, ...layers];
    const auxiliary = mlp("auxiliary", inputDim + scenarioDim, auxiliaryLayers);
    const auxiliaryWidth = auxiliaryLayers.at(-1) ?? inputDim + scenarioDim;

    return {
      outputDim: layers.at(-1)!,
      perTask: false,
      params: Object.assign(
        {},
        chosen.partitionedNorm ? normParams(inputDim, scenarios) : {},
        ...layers.map((outDim, l) => starDenseParams(`star.${l}`, inDims[l]!, outDim, scenarios)),
        chosen.auxiliaryNetwork
          ? {
              "auxiliary.scenarios": param([scenarios, scenarioDim], glorotNormal(scenarios, scenarioDim)),
              ...auxiliary.params,
              // A zero kernel: before the first step it says nothing.
              ...denseParams("auxiliary.out", auxiliaryWidth, tasks, { kernel: zeros }),
            }
          : {},
      ),
      buffers: chosen.partitionedNorm ? normBuffers(inputDim, scenarios) : {},
      forward(p, inputs) {
        const { features: x, scenarioOneHot } = inputs;
        const z0 = chosen.partitionedNorm ? partitionedNorm(p, x, scenarioOneHot, inputs, momentum) : x; // [batch, inputDim]
        const h = layers.reduce<Tensor2D>(
          (below, _, l) => tf.relu(starDense(p, `star.${l}`, below, scenarioOneHot)), // [batch, layers[l]]
          z0,
        );
        if (!chosen.auxiliaryNetwork) return h;
        const scenario = tf.matMul<Tensor2D>(scenarioOneHot, matrix(p, "auxiliary.scenarios")); // E(s)  [batch, scenarioDim]
        const a = auxiliary.forward(p, tf.concat2d([x, scenario], 1), inputs); // [batch, auxiliaryWidth]
        return { representations: h, logitBias: dense(p, "auxiliary.out", a) }; // [batch, H], [batch, T]
      },
    };
  },
});
