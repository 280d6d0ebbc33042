/**
 * CSII (Shu et al., 2024), in a reading of its own: the paper's formulas are not public in full, see the README. An expert for
 * each scenario and a shared one; a row also passes what is transferable of it through the experts of the other scenarios,
 * and attends over what they give.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, glorotUniform, matrix, mix, mlp, param, zeros } from "#plugin";
import { expert, expertParams, poolingParams } from "./expert.ts";
import { transfer, transferParams } from "./transfer.ts";

const config = z.strictObject({
  layers: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(8)
    .default([256, 128])
    .describe("Widths of the layers of every expert; the representation is twice as wide as the last one."),
  subOutputs: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe("Outputs that the last layer of a scenario's expert has side by side, pooled by attention."),
  detachForeign: z
    .boolean()
    .default(false)
    .describe("Let the expert of a scenario learn from the rows of that scenario alone, though others read it."),
});

export default definePlugin({
  name: "csii",
  paper: {
    title: "Adaptive Utilization of Cross-scenario Information for Multi-scenario Recommendation",
    venue: "arXiv 2024",
    url: "https://arxiv.org/abs/2407.19727",
  },
  summary:
    "An expert per scenario and a shared one; a row attends over what other scenarios' experts make of it. A reading (R1): the paper's formulas are not public in full.",
  config,
  build({ inputDim, fields, embeddingDim, scenarios, founders }, { layers, subOutputs, detachForeign }) {
    const width = layers.at(-1)!;
    const sizes = { inputDim, layers, subOutputs };
    const shared = mlp("shared", inputDim, layers);
    const experts = Array.from({ length: scenarios }, (_, t) => `scenario${t}`);
    // Rows read the experts of other founders; one scenario alone has nobody to read.
    const targets = scenarios > 1 ? experts.slice(0, founders?.scenarios ?? scenarios) : [];
    const transferSizes = { fields, embeddingDim, scenarios };

    return {
      outputDim: 2 * width,
      perTask: false,
      params: Object.assign(
        {},
        shared.params,
        ...experts.map((name) => expertParams(name, sizes)),
        poolingParams("pooling", sizes),
        ...targets.map((name) => transferParams(`${name}.transfer`, transferSizes)),
        targets.length > 0
          ? {
              "attention.query": param([width, width], glorotUniform(width, width)),
              "attention.key": param([width, width], glorotUniform(width, width)),
              "attention.weight": param([scenarios, 1], zeros), // a; α starts at one half
            }
          : {},
      ),
      forward(p, inputs) {
        const { features: x, fields: e, scenarioOneHot } = inputs;
        const own = scenarios === 1 ? [scenarioOneHot] : tf.split<Tensor2D>(scenarioOneHot, scenarios, 1); // 1[s = t]
        const moved = targets.map((name, t) => transfer(p, `${name}.transfer`, e, scenarioOneHot, t)); // x_t, r_t
        // Each expert once for every row: its own rows as they are, those of others transferred.
        const u = experts.map((name, t) => {
          const names = { expert: name, pooling: "pooling" };
          return expert(p, names, sizes, moved[t]?.x ?? x, detachForeign ? own[t] : undefined);
        }); // scenarios × [batch, H]
        const h = mix(scenarioOneHot, u); // h_s = E_s(x)  [batch, H]
        const share = shared.forward(p, x, inputs); // E_0(x)  [batch, H]
        if (targets.length === 0) return tf.concat<Tensor2D>([h, share], 1);

        // b_t = softmax over t ≠ s of (h_s·W_q)·(u_t·W_k)/√H, with (h·W_q)·(u·W_k) = (h·W_q·W_kᵀ)·u
        const query = tf.matMul(tf.matMul(h, matrix(p, "attention.query")), matrix(p, "attention.key"), false, true);
        const foreign = u.slice(0, targets.length);
        const scores = foreign.map((of) => tf.sum<Tensor2D>(tf.mul(query, of), 1, true)); // (h·W_q)·(u_t·W_k)
        const isOwn = tf.concat<Tensor2D>(own.slice(0, targets.length), 1); // [batch, targets]
        const logits = tf.sub<Tensor2D>(tf.div(tf.concat(scores, 1), Math.sqrt(width)), tf.mul(isOwn, 1e9));
        const b = tf.mul<Tensor2D>(tf.softmax(logits), tf.sub(1, isOwn)); // no weight where a row has nobody else
        const aggregated = mix(b, foreign); // u_agg = Σ b_t·u_t  [batch, H]

        const alpha: Tensor2D = tf.sigmoid(tf.matMul(scenarioOneHot, matrix(p, "attention.weight"))); // α_s  [batch, 1]
        const scenario = tf.add<Tensor2D>(tf.mul(alpha, aggregated), h); // α_s·u_agg + h_s
        const transferred = tf.concat<Tensor2D>(
          moved.map(({ r }) => tf.mean<Tensor2D>(r, 1, true)),
          1,
        ); // [batch, targets]
        return {
          representations: tf.concat<Tensor2D>([scenario, share], 1), // [batch, 2H]
          statistics: { transferred, attention: b, alpha },
        };
      },
    };
  },
});
