/**
 * HiNet (Zhou et al., ICDE 2023): from coarse to fine. A scenario layer gathers what all scenarios share, what the row's
 * scenario has of its own and what the others have for it; over that, experts shared by the tasks and of each task alone.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, dense, denseParams, glorotUniform, matrix, mix, mlp, type Params, param, zeros } from "#plugin";
import { integratedExpert } from "./integratedExpert.ts";

const widths = z.array(z.int().min(1).max(8192)).min(1).max(8);

const config = z.strictObject({
  subExperts: z
    .int()
    .min(1)
    .max(16)
    .default(5)
    .describe("Sub-experts of the shared expert, and as many of every scenario's own."),
  subLayers: widths.default([128, 64]).describe("Widths of the layers of every sub-expert."),
  scenarioDim: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe("Width of the embedding of a scenario, from which its attention to the other scenarios comes."),
  attention: z
    .enum(["others", "mask_after_softmax"])
    .default("others")
    .describe(
      "Weights of the other scenarios: a softmax over them alone, or over all scenarios with the row's own then set to zero.",
    ),
  specificExperts: z.int().min(1).max(16).default(2).describe("Experts of each task's own."),
  sharedExperts: z.int().min(0).max(16).default(2).describe("Experts shared by all tasks."),
  taskLayers: widths
    .default([128, 64])
    .describe("Widths of the layers of the tasks' experts; the last one is the width of the representation."),
  expertsBy: z
    .enum(["task", "scenario_task"])
    .default("task")
    .describe("Own experts and a gate for each task, or for each scenario and task; every row passes through all."),
});

export default definePlugin({
  name: "hinet",
  paper: {
    title: "HiNet: Novel Multi-Scenario & Multi-Task Learning with Hierarchical Information Extraction",
    venue: "ICDE 2023",
    url: "https://arxiv.org/abs/2303.06095",
  },
  summary: "What scenarios share, have of their own and have for each other, then shared and own experts of the tasks.",
  config,
  build({ inputDim, scenarios, tasks, founders }, settings) {
    const { subExperts, subLayers, scenarioDim, attention, specificExperts, sharedExperts, taskLayers, expertsBy } =
      settings;
    const attended = founders?.scenarios ?? scenarios; // no row reads the experts of a scenario that was added later
    const common = integratedExpert("shared", inputDim, subLayers, subExperts);
    const each = repeat(scenarios, (s) => integratedExpert(`scenario${s}`, inputDim, subLayers, subExperts));

    const inDim = 3 * subLayers.at(-1)!;
    const expert = (name: string) => mlp(`cgc.${name}`, inDim, taskLayers);
    const shared = repeat(sharedExperts, (k) => expert(`shared.expert${k}`));
    // One path for each task, or one for each task and scenario.
    const path = (name: string) => ({
      gate: `cgc.${name}.gate`,
      experts: repeat(specificExperts, (k) => expert(`${name}.expert${k}`)),
    });
    const paths = repeat(tasks, (t) =>
      expertsBy === "task" ? [path(`task${t}`)] : repeat(scenarios, (s) => path(`task${t}.scenario${s}`)),
    );

    return {
      outputDim: taskLayers.at(-1)!,
      perTask: true,
      params: Object.assign(
        {},
        ...[common, ...each].map((e) => e.params),
        { scenarioEmbedding: param([scenarios, scenarioDim], glorotUniform(scenarios, scenarioDim)) },
        // Zero kernels here and in the gates: every mixture starts uniform.
        denseParams("attention", scenarioDim, attended, { kernel: zeros }),
        ...shared.map((e) => e.params),
        ...paths
          .flat()
          .flatMap(({ gate, experts }) => [
            ...experts.map((e) => e.params),
            denseParams(gate, inDim, specificExperts + sharedExperts, { kernel: zeros }),
          ]),
      ),
      forward(p, inputs) {
        const { features: x, scenarioOneHot } = inputs;
        const ofScenarios = each.map((e) => e.forward(p, x, inputs)); // S_1 .. S_S  each [batch, h]
        const own = mix(scenarioOneHot, ofScenarios); // S of the row's scenario  [batch, h]
        const attentions = attentionToOthers(p, scenarios, attended, attention === "others"); // [scenarios, attended]
        const a = tf.matMul<Tensor2D>(scenarioOneHot, attentions); // of the row's scenario  [batch, attended]
        const others = mix(a, ofScenarios.slice(0, attended)); // A = Σ_j a_j S_j  [batch, h]
        const c = tf.concat2d([common.forward(p, x, inputs), own, others], 1); // C  [batch, 3h]

        const sharedOutputs = shared.map((e) => e.forward(p, c, inputs)); // each [batch, H]
        const ofTasks = paths.map((ofTask) => {
          const gates = ofTask.map(({ gate }) => tf.softmax<Tensor2D>(dense(p, gate, c))); // each [batch, experts]
          const mixed = ofTask.map(({ experts }, i) =>
            mix(gates[i]!, [...experts.map((e) => e.forward(p, c, inputs)), ...sharedOutputs]),
          ); // each [batch, H]
          // With a path per scenario: that of the row's scenario.
          const pick = (of: readonly Tensor2D[]): Tensor2D => (of.length > 1 ? mix(scenarioOneHot, of) : of[0]!);
          return { gate: pick(gates), representation: pick(mixed) };
        });
        return {
          representations: ofTasks.map(({ representation }) => representation),
          statistics: { attention: a, ...Object.fromEntries(ofTasks.map(({ gate }, t) => [`task${t}.gate`, gate])) },
        };
      },
    };
  },
});

/** How much each scenario takes of every other [scenarios, attended]: softmax(E·V + v), nothing of itself. */
function attentionToOthers(p: Params, scenarios: number, attended: number, masked: boolean): Tensor2D {
  const self = tf.eye(scenarios, attended); // [scenarios, attended]
  const logits = dense(p, "attention", matrix(p, "scenarioEmbedding")); // [scenarios, attended]
  const weights = tf.softmax<Tensor2D>(masked ? tf.sub(logits, tf.mul(self, 1e9)) : logits);
  return tf.mul(weights, tf.sub(1, self)); // after this the only scenario there is attends to nothing, too
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
