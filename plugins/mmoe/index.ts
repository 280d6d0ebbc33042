/**
 * MMoE (Ma et al., KDD 2018): experts shared by all tasks, mixed for each task by a softmax gate of its own. The gate
 * may also be one per scenario and task; then a row is mixed by the gates of its scenario.
 */
import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, dense, denseParams, mix, mlp, zeros } from "#plugin";

const width = z.int().min(1).max(8192);

const config = z.strictObject({
  experts: z.int().min(1).max(64).default(4).describe("Number of experts, shared by all tasks."),
  layers: z
    .array(width)
    .min(1)
    .max(8)
    .default([512, 256])
    .describe("Widths of the layers of every expert; the last one is the width of the representation."),
  gateLayers: z
    .array(width)
    .max(8)
    .default([])
    .describe("Widths of the hidden layers of every gate; empty for the linear gate of the paper."),
  gateBy: z
    .enum(["task", "scenario_task"])
    .default("task")
    .describe("One gate per task, or one per scenario and task; hidden layers of a gate are shared by the scenarios."),
});

export default definePlugin({
  name: "mmoe",
  paper: {
    title: "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts",
    venue: "KDD 2018",
    url: "https://doi.org/10.1145/3219819.3220007",
  },
  summary: "Shared experts, mixed for each task (or each scenario and task) by a gate of its own.",
  config,
  build({ inputDim, scenarios, tasks }, { experts: expertCount, layers, gateLayers, gateBy }) {
    const gatesPerTask = gateBy === "scenario_task" ? scenarios : 1;
    const gateInDim = gateLayers.at(-1) ?? inputDim;

    const experts = Array.from({ length: expertCount }, (_, k) => mlp(`expert${k}`, inputDim, layers));
    const gates = Array.from({ length: tasks }, (_, t) => ({
      hidden: mlp(`task${t}.gate`, inputDim, gateLayers),
      out: `task${t}.gate.out`, // columns: the experts, for every scenario side by side
    }));

    return {
      outputDim: layers.at(-1)!,
      perTask: true,
      params: Object.assign(
        {},
        ...experts.map((expert) => expert.params),
        ...gates.map((gate) => gate.hidden.params),
        // Zero kernels: every mixture starts uniform, and only the data breaks the tie.
        ...gates.map((gate) => denseParams(gate.out, gateInDim, gatesPerTask * expertCount, { kernel: zeros })),
      ),
      forward(p, inputs) {
        const x = inputs.features; // [batch, inputDim]
        const f = experts.map((expert) => expert.forward(p, x, inputs)); // f_k(x)  experts × [batch, H]
        return gates.map((gate) => {
          const logits = dense(p, gate.out, gate.hidden.forward(p, x, inputs)); // [batch, gatesPerTask·experts]
          // With a gate per scenario: Σ_s 1[s is the row's scenario]·logits_s  [batch, experts].
          const own = gatesPerTask > 1 ? mix(inputs.scenarioOneHot, tf.split(logits, scenarios, 1)) : logits;
          return mix(tf.softmax(own), f); // Σ_k g_t,k(x) f_k(x)  [batch, H]
        });
      },
    };
  },
});
