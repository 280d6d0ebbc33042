/**
 * AITM (Xi et al., KDD 2021): tasks in the order in which a user does them (click, cart, purchase). Each has a tower of its
 * own and passes on what it knows; the next one attends over its tower and what it was told.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, dense, denseParams, glorotUniform, matrix, mix, mlp, param, type Params } from "#plugin";

const config = z.strictObject({
  layers: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(8)
    .default([128, 64, 32])
    .describe("Widths of the layers of every task's tower; the last one is the width of the representations."),
  dropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe("Share of a tower's units set to zero after every ReLU in training."),
  attention: z
    .enum(["shared", "transition"])
    .default("shared")
    .describe("One set of query, key and value maps for all transitions between tasks, or one for each."),
  calibratorWeight: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      "Weight of the loss on a task more probable than the one before it; only for labels of which each implies the one before.",
    ),
});

export default definePlugin({
  name: "aitm",
  paper: {
    title:
      "Modeling the Sequential Dependence among Audience Multi-step Conversions with Multi-task Learning in Targeted Display Advertising",
    venue: "KDD 2021",
    url: "https://arxiv.org/abs/2105.08489",
  },
  summary:
    "A tower per task; each task also attends over what the one before it passes on. The order of tasks matters.",
  config,
  build({ inputDim, tasks, founders }, { layers, dropout, attention, calibratorWeight }) {
    const chained = founders?.tasks ?? tasks; // a task added later follows the last of these and brings its own maps
    const width = layers.at(-1)!;
    const towers = Array.from({ length: tasks }, (_, t) => mlp(`task${t}.tower`, inputDim, layers, { dropout }));
    const transitions = towers.slice(1).map((_, i) => ({
      from: Math.min(i, chained - 1),
      information: `task${i + 1}.information`,
      attention: attention === "shared" && i + 1 < chained ? "attention" : `task${i + 1}.attention`,
      weights: `task${i + 1}.attention`,
    }));

    const before = transitions.map(({ from }) => from);

    return {
      outputDim: width,
      perTask: true,
      params: Object.assign(
        {},
        ...towers.map((tower) => tower.params),
        ...transitions.map((of) => denseParams(of.information, width, width)),
        ...transitions.map((of) => attentionParams(of.attention, width)),
      ),
      dropout: Object.assign({}, ...towers.map((tower) => tower.dropout)),
      forward(p, inputs) {
        const q = towers.map((tower) => tower.forward(p, inputs.features, inputs)); // q_t  tasks × [batch, k]
        const z: Tensor2D[] = [q[0]!]; // z_1 = q_1
        const statistics: Record<string, Tensor2D> = {};
        for (const [i, { from, information, attention: maps, weights }] of transitions.entries()) {
          const told = tf.relu(dense(p, information, z[from]!)); // p_{t-1} = φ(z_{t-1}·G_t + g_t)  [batch, k]
          const { w, sum } = attend(p, maps, [q[i + 1]!, told]);
          z.push(sum);
          statistics[weights] = w;
        }
        return { representations: z, statistics };
      },
      ...(calibratorWeight > 0 && tasks > 1
        ? { logitLosses: (logits: Tensor2D) => ({ calibrator: tf.mul(excess(logits, before), calibratorWeight) }) }
        : {}),
    };
  },
});

/** W_Q, W_K, W_V. */
function attentionParams(name: string, width: number) {
  const kernel = param([width, width], glorotUniform(width, width));
  return { [`${name}.query`]: kernel, [`${name}.key`]: kernel, [`${name}.value`]: kernel };
}

/** Σ_u w_u·uW_V with w = softmax_u(⟨uW_Q, uW_K⟩/√k): [batch, k] each → sum [batch, k], w [batch, inputs]. */
function attend(p: Params, name: string, inputs: readonly Tensor2D[]): { w: Tensor2D; sum: Tensor2D } {
  const map = (u: Tensor2D, by: string): Tensor2D => tf.matMul(u, matrix(p, `${name}.${by}`)); // [batch, k]
  const scores = inputs.map((u) => tf.sum<Tensor2D>(tf.mul(map(u, "query"), map(u, "key")), 1, true)); // [batch, 1]
  const w = tf.softmax(tf.div<Tensor2D>(tf.concat(scores, 1), Math.sqrt(inputs[0]!.shape[1]))); // [batch, inputs]
  const values = inputs.map((u) => map(u, "value"));
  return { w, sum: mix(w, values) };
}

/** Σ_{t≥2} mean_b max(ŷ_t − ŷ_{t−1}, 0) of the probabilities ŷ of logits [batch, tasks]; t − 1 is `before[t - 2]`, from 0. */
function excess(logits: Tensor2D, before: readonly number[]): tf.Tensor {
  const y = tf.split(tf.sigmoid(logits), logits.shape[1], 1); // tasks × [batch, 1]
  return tf.addN(y.slice(1).map((later, i) => tf.mean(tf.relu(tf.sub(later, y[before[i]!]!)))));
}
