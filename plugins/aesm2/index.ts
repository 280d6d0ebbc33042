/**
 * AESM² (Zou et al., SIGIR 2022): layers of experts for the scenarios, then for the tasks. In each layer every row chooses
 * the experts nearest to its own scenario (or task) and those nearest to all of them, and is mixed from these alone.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, glorotUniform, matrix, mix, param } from "#plugin";
import type { Choice } from "./chooseExperts.ts";
import { expertLayer } from "./expertLayer.ts";

const widths = z.array(z.int().min(1).max(8192)).min(1).max(8);
const dimension = z.int().min(1).max(1024).default(16);
const lossWeight = z.number().min(0).max(100).default(0.01);

const config = z
  .strictObject({
    experts: z.int().min(2).max(32).default(8).describe("Experts of every layer."),
    specificExperts: z.int().min(1).max(32).default(2).describe("Chosen for a row as nearest to its scenario or task."),
    sharedExperts: z.int().min(1).max(32).default(2).describe("Chosen for a row as nearest to all scenarios or tasks."),
    scenarioLayers: z
      .array(widths)
      .min(1)
      .max(6)
      .default([[128]])
      .describe("For every scenario layer the widths of its experts' layers."),
    taskLayers: z
      .array(widths)
      .min(1)
      .max(6)
      .default([[128]])
      .describe(
        "For every task layer the widths of its experts' layers; the last width of all is that of the representation.",
      ),
    scenarioDim: dimension.describe("Width of the embedding of a scenario, which all gates read."),
    taskDim: dimension.describe("Width of the embedding of a task, which the gates of the task layers read."),
    noise: z
      .number()
      .min(0)
      .max(100)
      .default(1)
      .describe("Standard deviation of the noise on the gates' logits by which experts are chosen in training."),
    specificWeight: lossWeight.describe(
      "Weight of the loss that draws chosen specific experts to their scenario or task.",
    ),
    sharedWeight: lossWeight.describe("Weight of the loss that draws chosen shared experts to all alike."),
  })
  .refine(({ experts, specificExperts, sharedExperts }) => Math.max(specificExperts, sharedExperts) <= experts, {
    error: "specificExperts and sharedExperts at most as many as experts",
    path: ["experts"],
  });

export default definePlugin({
  name: "aesm2",
  paper: {
    title: "Automatic Expert Selection for Multi-Scenario and Multi-Task Search",
    venue: "SIGIR 2022",
    url: "https://arxiv.org/abs/2205.14321",
  },
  summary: "Layers of experts from which every row chooses those of its scenario and task and those of all.",
  config,
  build({ inputDim, scenarios, tasks, founders = { scenarios, tasks } }, settings) {
    const { experts, specificExperts: specific, sharedExperts: shared, noise } = settings;
    const { scenarioDim, taskDim, scenarioLayers: scenarioWidths, taskLayers: taskWidths } = settings;
    const inDims = [inputDim, ...[...scenarioWidths, ...taskWidths].map((layers) => layers.at(-1)!)];
    const common = { experts, specific, shared, noise };
    const byScenario = { ...common, groups: scenarios, founders: founders.scenarios };
    const byTask = { ...common, groups: tasks, founders: founders.tasks };
    const scenarioLayers = scenarioWidths.map((layers, l) =>
      expertLayer(`scenarioLayer${l}`, {
        ...byScenario,
        layers,
        inDim: inDims[l]!,
        indicators: { scenario: scenarioDim },
        paths: [`scenarioLayer${l}`],
      }),
    );
    const taskLayers = taskWidths.map((layers, l) =>
      expertLayer(`taskLayer${l}`, {
        ...byTask,
        layers,
        inDim: inDims[scenarioWidths.length + l]!,
        indicators: { scenario: scenarioDim, task: taskDim },
        paths: Array.from({ length: tasks }, (_, t) => `taskLayer${l}.task${t}`),
      }),
    );
    const layers = [...scenarioLayers, ...taskLayers];

    return {
      outputDim: inDims.at(-1)!,
      perTask: true,
      params: Object.assign(
        {
          scenarioEmbedding: param([scenarios, scenarioDim], glorotUniform(scenarios, scenarioDim)),
          taskEmbedding: param([tasks, taskDim], glorotUniform(tasks, taskDim)),
        },
        ...layers.map((layer) => layer.params),
      ),
      noise: Object.assign({}, ...layers.map((layer) => layer.noise)),
      forward(p, inputs) {
        const choices: Record<string, Choice> = {};
        const c = tf.matMul<Tensor2D>(inputs.scenarioOneHot, matrix(p, "scenarioEmbedding")); // c_s  [batch, scenarioDim]

        let z = inputs.features; // [batch, inputDim]
        for (const layer of scenarioLayers) {
          const path = layer.paths[0]!;
          const choice = layer.choose(p, path, { z, indicators: { scenario: c }, own: inputs.scenarioOneHot }, inputs);
          z = mix(choice.gate, layer.experts(p, z, inputs)); // Σ_k g_k E_k(z)  [batch, H_l]
          choices[path] = choice;
        }

        let ofTasks = [z]; // z_t; before the first task layer the same for all tasks
        for (const layer of taskLayers) {
          const outputs = ofTasks.map((z_t) => layer.experts(p, z_t, inputs)); // the experts are shared by the tasks
          ofTasks = layer.paths.map((path, t) => {
            const task = tf.slice2d(matrix(p, "taskEmbedding"), [t, 0], [1, -1]); // τ_t  [1, taskDim]
            const own = tf.tensor2d([Array.from({ length: tasks }, (_, j) => Number(j === t))]); // [1, tasks]
            const input = { z: ofTasks[t] ?? ofTasks[0]!, indicators: { scenario: c, task }, own };
            const choice = layer.choose(p, path, input, inputs);
            choices[path] = choice;
            return mix(choice.gate, outputs[t] ?? outputs[0]!); // [batch, H_l]
          });
        }
        return {
          representations: ofTasks,
          auxiliaryLosses: {
            ...auxiliaryLoss("aesm_sp", "specific", choices, settings.specificWeight),
            ...auxiliaryLoss("aesm_sh", "shared", choices, settings.sharedWeight),
          },
          statistics: statisticsOf(choices),
        };
      },
    };
  },
});

/** λ times the sum over all choices; none where nothing is chosen. */
function auxiliaryLoss(
  name: string,
  kind: "specific" | "shared",
  choices: Readonly<Record<string, Choice>>,
  weight: number,
): Readonly<Record<string, Tensor>> {
  const losses = Object.values(choices).flatMap(({ chosen }) => (chosen ? [chosen[kind].loss] : []));
  return losses.length > 0 ? { [name]: tf.mul(tf.addN(losses), weight) } : {};
}

/** Gate weights, and who was chosen as what: its mean is the share of rows that choose an expert. */
function statisticsOf(choices: Readonly<Record<string, Choice>>): Readonly<Record<string, Tensor2D>> {
  const named = Object.entries(choices).flatMap(([path, { gate, chosen }]): [string, Tensor2D][] => [
    [`${path}.gate`, gate],
    ...(chosen ? chosenMasks(path, chosen) : []),
  ]);
  return Object.fromEntries(named);
}

function chosenMasks(path: string, { specific, shared }: NonNullable<Choice["chosen"]>): [string, Tensor2D][] {
  return [
    [`${path}.specific`, specific.mask],
    [`${path}.shared`, shared.mask],
  ];
}
