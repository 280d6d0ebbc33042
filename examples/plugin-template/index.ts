/** A trunk whose units every scenario scales: h ∘ Γ_s. A template: copy the folder and change it. */
import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, matrix, mlp, ones, param } from "#plugin";

const config = z.strictObject({
  layers: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(8)
    .default([512, 256])
    .describe("Widths of the layers; the last one is the width of the representation."),
});

export default definePlugin({
  name: "scenario-scale",
  paper: { title: "An example", venue: "docs/plugins.md", url: "https://example.org" },
  summary: "One trunk; every scenario scales its units.",
  config,
  build({ inputDim, scenarios }, { layers }) {
    const trunk = mlp("trunk", inputDim, layers);
    const outputDim = layers.at(-1)!;
    return {
      outputDim,
      perTask: false,
      params: { ...trunk.params, scale: param([scenarios, outputDim], ones) },
      forward(p, inputs) {
        const h = trunk.forward(p, inputs.features, inputs); // [batch, H]
        const own = tf.matMul(inputs.scenarioOneHot, matrix(p, "scale")); // Γ of the row's scenario  [batch, H]
        return tf.mul(h, own);
      },
    };
  },
});
