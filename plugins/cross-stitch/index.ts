/**
 * Cross-stitch networks (Misra et al., CVPR 2016): one column of layers per task; after every layer each column goes on
 * with a learned linear mixture of all columns.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, denseParams, type Params, type ParamSpecs } from "#plugin";

const config = z.strictObject({
  layers: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(8)
    .default([512, 256])
    .describe("Widths of the layers of every column; the last one is the width of the representation."),
  ownWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe("Weight of a column in its own mixture at the start; the other columns share the rest equally."),
  stitchLearningRate: z
    .number()
    .min(0.01)
    .max(1000)
    .default(10)
    .describe("Learning rate of the weights of the mixtures, as a multiple of the run's."),
});

export default definePlugin({
  name: "cross-stitch",
  paper: {
    title: "Cross-stitch Networks for Multi-task Learning",
    venue: "CVPR 2016",
    url: "https://arxiv.org/abs/1604.03539",
  },
  summary: "A column of layers per task; after every layer the columns are mixed by learned weights.",
  config,
  build({ inputDim, tasks, founders }, { layers, ownWeight, stitchLearningRate }) {
    const inDims = [inputDim, ...layers];
    const columns = Array.from({ length: tasks }, (_, t) => t);
    // A column reads no task that was added later, except where it is that task's own.
    const mates = columns.map((t) => columns.filter((r) => r !== t && r < (founders?.tasks ?? tasks)));
    const weights = (name: string, count: number, value: number): ParamSpecs => ({
      [name]: { shape: [count], init: { kind: "constant", value }, learningRateFactor: stitchLearningRate },
    });

    return {
      outputDim: layers.at(-1)!,
      perTask: true,
      params: Object.assign(
        {},
        ...layers.flatMap((outDim, l) =>
          columns.map((t) => ({
            ...denseParams(`task${t}.${l}`, inDims[l]!, outDim),
            ...(mates[t]!.length > 0
              ? {
                  ...weights(`task${t}.${l}.stitch.own`, 1, ownWeight),
                  ...weights(`task${t}.${l}.stitch.others`, mates[t]!.length, (1 - ownWeight) / mates[t]!.length),
                }
              : {}),
          })),
        ),
      ) as ParamSpecs,
      forward(p, { features }) {
        let h = tf.tile(tf.expandDims(features, 0), [tasks, 1, 1]); // h_t^0 = x  [T, batch, inputDim]
        for (const [l, outDim] of layers.entries()) {
          const ofTasks = (part: string): Tensor => tf.stack(columns.map((t) => p[`task${t}.${l}.${part}`]!));
          const a = tf.add(tf.matMul(h, ofTasks("kernel")), tf.expandDims(ofTasks("bias"), 1)); // [T, batch, d_l]
          const flat = tf.reshape(tf.relu(a), [tasks, -1]); // ĥ_t^l  [T, batch·d_l]
          const mixed = tasks > 1 ? tf.matMul(stitch(p, l, mates), flat as Tensor2D) : flat; // Σ_r α_tr·ĥ_r
          h = tf.reshape(mixed, [tasks, -1, outDim]); // h_t^l  [T, batch, d_l]
        }
        const outputDim = layers.at(-1)!;
        // tfjs cannot differentiate a split into one part.
        const apart = tasks === 1 ? [h] : tf.split(h, tasks, 0);
        return apart.map((own) => tf.reshape(own, [-1, outputDim]) as Tensor2D); // T × [batch, H]
      },
    };
  },
});

/** α^l: row t holds the weights of all columns in the mixture of task t [T, T]. */
function stitch(p: Params, l: number, mates: readonly (readonly number[])[]): Tensor2D {
  const rows = mates.map((others, t) => {
    const places = tf.oneHot(tf.tensor1d([t, ...others], "int32"), mates.length, 1, 0, "float32"); // [1 + others, T]
    if (others.length === 0) return places; // alone
    const weights = tf.concat([p[`task${t}.${l}.stitch.own`]!, p[`task${t}.${l}.stitch.others`]!]); // [1 + others]
    return tf.matMul(tf.expandDims(weights, 0), places); // [1, T]
  });
  return tf.concat(rows, 0) as Tensor2D;
}
