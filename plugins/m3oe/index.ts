/**
 * M³oE (Zhang et al., SIGIR 2024): experts common to all, experts of single scenarios and experts of single tasks, all
 * over a representation that a star layer adapts to the scenario, balanced and fused by learned weights.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import {
  definePlugin,
  dense,
  denseParams,
  ofScenario,
  type Params,
  type ParamSpecs,
  starDense,
  starDenseParams,
  stopGradient,
  zeros,
} from "#plugin";
import { balanced } from "./balance.ts";
import { blockParams, blocks, towers } from "./block.ts";

const width = z.int().min(2).max(8192);

const config = z.strictObject({
  starWidth: width.default(512).describe("Width of the star layer, whose kernel every scenario multiplies by its own."),
  sharedWidth: width.default(256).describe("Width of the representation that all experts read."),
  experts: z.int().min(1).max(64).default(4).describe("Number of experts common to all scenarios and tasks."),
  layers: z
    .array(width)
    .min(1)
    .max(8)
    .default([64])
    .describe("Widths of the layers of every expert; the last one is the width of the representation."),
  fusionLearningRate: z
    .number()
    .min(0.01)
    .max(1000)
    .default(10)
    .describe("Learning rate of the four weights of balance and fusion, as a multiple of the run's."),
});

export default definePlugin({
  name: "m3oe",
  paper: {
    title: "M3oE: Multi-Domain Multi-Task Mixture-of-Experts Recommendation Framework",
    venue: "SIGIR 2024",
    url: "https://arxiv.org/abs/2404.18465",
  },
  summary:
    "Common experts, experts of scenarios and experts of tasks on a star layer, balanced and fused by learned weights.",
  config,
  build({ inputDim, scenarios, tasks, founders }, { starWidth, sharedWidth, experts, layers, fusionLearningRate }) {
    const outputDim = layers.at(-1)!;
    const named = (count: number, name: (i: number) => string): string[] =>
      Array.from({ length: count }, (_, i) => name(i));
    const expertNames = [
      ...named(experts, (k) => `common.expert${k}`), // C
      ...named(scenarios, (s) => `scenario${s}.expert`), // P
      ...named(tasks, (t) => `task${t}.expert`), // Q
    ];
    const gates = named(tasks, (t) => `task${t}.gate`); // columns: the common experts, for every scenario side by side
    const inDims = [sharedWidth, ...layers];
    // α and β before their sigmoid. Where there is but one, nothing is balanced.
    const scalars = [
      "fusion.scenarios",
      "fusion.tasks",
      ...(scenarios > 1 ? ["balance.scenarios"] : []),
      ...(tasks > 1 ? ["balance.tasks"] : []),
    ].map((name): ParamSpecs => ({
      [name]: { shape: [1], init: { kind: "constant", value: 1 }, learningRateFactor: fusionLearningRate },
    }));

    /** Weights of the experts of scenarios and tasks for task t, by scenario of the row [S, S + T]. */
    const fusion = (p: Params, t: number): Tensor2D => {
      const weight = (name: string): Tensor => tf.sigmoid(p[name]!); // [1]
      const [betaS, betaT] = [
        scenarios > 1 ? weight("balance.scenarios") : undefined,
        tasks > 1 ? weight("balance.tasks") : undefined,
      ];
      const ofScenarios = tf.mul(
        balanced(scenarios, founders?.scenarios ?? scenarios, betaS),
        weight("fusion.scenarios"),
      );
      const ofTasks = tf.mul(balanced(tasks, founders?.tasks ?? tasks, betaT), weight("fusion.tasks"));
      const ofTask = tf.tile(tf.slice(ofTasks, [t, 0], [1, tasks]), [scenarios, 1]); // [S, T]
      return tf.concat2d([ofScenarios as Tensor2D, ofTask as Tensor2D], 1);
    };

    return {
      outputDim,
      perTask: true,
      params: Object.assign(
        {},
        starDenseParams("star", inputDim, starWidth, scenarios),
        blockParams("inner", starWidth, sharedWidth),
        blockParams("skip", inputDim, sharedWidth),
        ...expertNames.flatMap((name) => layers.map((outDim, l) => blockParams(`${name}.${l}`, inDims[l]!, outDim))),
        // Zero kernels: every mixture starts uniform.
        ...gates.map((gate) => denseParams(gate, sharedWidth, scenarios * experts, { kernel: zeros })),
        ...scalars,
      ) as ParamSpecs,
      forward(p, { features: x, scenarioOneHot }) {
        const flat = (block: Tensor): Tensor2D => tf.reshape(block, [-1, sharedWidth]);
        const u = starDense(p, "star", x, scenarioOneHot); // x(W∘W_s) + b + b_s  [batch, starWidth]
        const shared = tf.add<Tensor2D>(flat(blocks(p, ["inner"], u)), flat(blocks(p, ["skip"], x))); // z  [batch, sharedWidth]
        const all = towers(p, expertNames, layers, shared); // C, P, Q  [batch, K + S + T, H]

        const forGates = stopGradient(shared);
        const g = gates.map((gate) => tf.softmax(ofScenario(dense(p, gate, forGates), scenarioOneHot))); // T × [batch, K]
        // c_t + α_d·P̄_s + α_t·Q̄_t is one mixture of all experts: [g_t, α_d·β.., α_t·β..] · [C, P, Q].
        const weights = g.map((ofCommon, t) => tf.concat2d([ofCommon, tf.matMul(scenarioOneHot, fusion(p, t))], 1));
        const fused = tf.matMul(tf.stack(weights, 1), all); // [batch, T, H]
        // tfjs cannot differentiate a split into one part.
        const apart = tasks === 1 ? [fused] : tf.split(fused, tasks, 1);
        return {
          representations: apart.map((own) => tf.reshape(own, [-1, outputDim]) as Tensor2D), // T × [batch, H]
          statistics: Object.fromEntries(gates.map((gate, t) => [gate, g[t]!])),
        };
      },
    };
  },
});
