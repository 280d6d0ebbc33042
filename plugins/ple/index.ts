/**
 * PLE (Tang et al., RecSys 2020): levels of experts, some owned by one task and some shared. A task mixes its own and
 * the shared ones; between levels the shared path mixes all of them. One level alone is the paper's CGC.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, dense, denseParams, mix, mlp, zeros, type Params } from "#plugin";

const config = z.strictObject({
  levels: z
    .array(z.array(z.int().min(1).max(8192)).min(1).max(8))
    .min(1)
    .max(6)
    .default([[512], [256]])
    .describe(
      "For every level the widths of its experts' layers; the last width of all is that of the representation.",
    ),
  specificExperts: z.int().min(1).max(16).default(1).describe("Experts of each task's own, per level."),
  sharedExperts: z.int().min(0).max(16).default(2).describe("Experts shared by all tasks, per level."),
});

export default definePlugin({
  name: "ple",
  paper: {
    title:
      "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for Personalized Recommendations",
    venue: "RecSys 2020",
    url: "https://doi.org/10.1145/3383313.3412236",
  },
  summary:
    "Levels of experts, some shared and some of one task alone, so that tasks disturb each other less than in MMoE.",
  config,
  build({ inputDim, tasks, founders }, { levels: levelWidths, specificExperts, sharedExperts }) {
    const mixedTasks = founders?.tasks ?? tasks; // the shared path reads no task that was added later
    const inDims = [inputDim, ...levelWidths.map((widths) => widths.at(-1)!)];
    const levels = levelWidths.map((widths, l) => {
      const expert = (name: string) => mlp(`level${l}.${name}`, inDims[l]!, widths);
      return {
        inDim: inDims[l]!,
        specific: repeat(tasks, (t) => repeat(specificExperts, (k) => expert(`task${t}.expert${k}`))),
        shared: repeat(sharedExperts, (k) => expert(`shared.expert${k}`)),
        taskGates: repeat(tasks, (t) => `level${l}.task${t}.gate`),
        // The last level has no shared output, so a shared gate there would never learn.
        sharedGate: sharedExperts > 0 && l < levelWidths.length - 1 ? `level${l}.shared.gate` : undefined,
      };
    });

    return {
      outputDim: inDims.at(-1)!,
      perTask: true,
      params: Object.assign(
        {},
        ...levels.flatMap(({ inDim, specific, shared, taskGates, sharedGate }) => [
          ...[...specific.flat(), ...shared].map((expert) => expert.params),
          ...taskGates.map((gate) => gateParams(gate, inDim, specificExperts + sharedExperts)),
          sharedGate === undefined ? {} : gateParams(sharedGate, inDim, mixedTasks * specificExperts + sharedExperts),
        ]),
      ),
      forward(p, inputs) {
        let task = repeat(tasks, () => inputs.features); // q_t^0 = x  tasks × [batch, inputDim]
        let all = inputs.features; // q_c^0 = x  [batch, inputDim]
        for (const level of levels) {
          const own = level.specific.map((experts, t) => experts.map((e) => e.forward(p, task[t]!, inputs))); // E_t,k
          const common = level.shared.map((e) => e.forward(p, all, inputs)); // C_k  [batch, H_l]
          const q = own.map((experts, t) => mix(gate(p, level.taskGates[t]!, task[t]!), [...experts, ...common]));
          const mixed = own.slice(0, mixedTasks).flat();
          if (level.sharedGate !== undefined) all = mix(gate(p, level.sharedGate, all), [...mixed, ...common]);
          task = q; // q_t^l  tasks × [batch, H_l]
        }
        return task;
      },
    };
  },
});

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Zero kernels: every mixture starts uniform. */
function gateParams(name: string, inDim: number, candidates: number) {
  return denseParams(name, inDim, candidates, { kernel: zeros });
}

/** softmax(q·A + a): [batch, in] → [batch, candidates]. */
function gate(p: Params, name: string, q: Tensor2D): Tensor2D {
  return tf.softmax(dense(p, name, q));
}
