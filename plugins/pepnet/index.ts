/**
 * PEPNet (Chang et al., KDD 2023): gates made from prior knowledge scale the embeddings (EPNet, by the scenario) and the
 * hidden units of every task's tower (PPNet, by whom and what a row is about). The gates read the rest without changing it.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, dense, denseParams, glorotUniform, matrix, param, stopGradient } from "#plugin";
import { gateParams, gates } from "./gate.ts";

const width = z.int().min(1).max(8192);
const columnNames = z.array(z.string().min(1)).max(64).default([]);

const config = z.strictObject({
  layers: z
    .array(width)
    .min(1)
    .max(8)
    .default([512, 256])
    .describe("Widths of the layers of every task's tower; the last one is the width of the representations."),
  priors: columnNames.describe(
    "Columns that say whom and what a row is about (user, item, author); they steer the gates of the towers. Empty: the scenario does.",
  ),
  scenarioPriors: columnNames.describe(
    "Columns with what is known of the scenario; with its own vector they steer the gate of the embeddings.",
  ),
  scenarioDim: z.int().min(1).max(1024).default(16).describe("Width of the scenario's own vector."),
  embeddingGateWidth: width.default(128).describe("Width of the hidden layer of the gate of the embeddings."),
  towerGateWidth: width.default(64).describe("Width of the hidden layer of every gate in the towers."),
  placement: z
    .enum(["output", "input"])
    .default("output")
    .describe("Whether the gates of a tower scale what its layers give, or what they are given."),
});

export default definePlugin({
  name: "pepnet",
  paper: {
    title: "PEPNet: Parameter and Embedding Personalized Network for Infusing with Personalized Prior Information",
    venue: "KDD 2023",
    url: "https://arxiv.org/abs/2302.01115",
  },
  summary: "A tower per task whose inputs and units are scaled by gates that read the scenario, the user and the item.",
  config,
  build(sizes, { layers, priors, scenarioPriors, scenarioDim, embeddingGateWidth, towerGateWidth, placement }) {
    const { inputDim, fields, embeddingDim, scenarios, tasks, columns } = sizes;
    const priorFields = fieldsOf("priors", priors, columns);
    const domainFields = fieldsOf("scenarioPriors", scenarioPriors, columns);
    const domainDim = scenarioDim + domainFields.length * embeddingDim;
    const priorDim = priorFields.length > 0 ? priorFields.length * embeddingDim : scenarioDim;
    const gated = placement === "output" ? layers : [inputDim, ...layers.slice(0, -1)];
    const inDims = [inputDim, ...layers];
    const towers = Array.from({ length: tasks }, (_, t) =>
      layers.map((_, l) => ({ layer: `task${t}.${l}`, gate: `task${t}.${l}.gate` })),
    );

    return {
      outputDim: layers.at(-1)!,
      perTask: true,
      params: Object.assign(
        { scenario: param([scenarios, scenarioDim], glorotUniform(scenarios, scenarioDim)) },
        gateParams("embedding.gate", domainDim + inputDim, embeddingGateWidth, inputDim),
        ...towers.flatMap((tower) =>
          tower.map(({ layer, gate }, l) => ({
            ...denseParams(layer, inDims[l]!, layers[l]!),
            ...gateParams(gate, priorDim + inputDim, towerGateWidth, gated[l]!),
          })),
        ),
      ),
      forward(p, { features: x, scenarioOneHot }) {
        const ofFields = fields === 1 ? [x] : tf.split<Tensor2D>(x, fields, 1); // fields × [batch, e]
        const take = (indices: readonly number[]): Tensor2D[] => indices.map((f) => ofFields[f]!);
        const scenario: Tensor2D = tf.matMul(scenarioOneHot, matrix(p, "scenario")); // E(s)  [batch, scenarioDim]

        // EPNet: x' = δ(P_dom, sg(x)) ∘ x
        const domain: Tensor2D[] = [scenario, ...take(domainFields)]; // P_dom
        const [scale] = gates(p, ["embedding.gate"], tf.concat<Tensor2D>([...domain, stopGradient(x)], 1)); // δ  [batch, inputDim]
        const input = tf.mul<Tensor2D>(scale!, x); // x'

        // PPNet: δ_t,l(P, sg(x')) for every layer of every task
        const prior: Tensor2D[] = priorFields.length > 0 ? take(priorFields) : [scenario]; // P
        const names = towers.flatMap((tower) => tower.map(({ gate }) => gate));
        const scales = gates(p, names, tf.concat<Tensor2D>([...prior, stopGradient(input)], 1)); // each [batch, gated_l]
        return towers.map((tower, t) =>
          tower.reduce<Tensor2D>((h, { layer }, l) => {
            const delta = scales[t * layers.length + l]!;
            return placement === "output"
              ? tf.mul(delta, tf.relu(dense(p, layer, h))) // δ ∘ φ(h·W + b)  [batch, d_l]
              : tf.relu(dense(p, layer, tf.mul<Tensor2D>(delta, h))); // φ((δ ∘ h)·W + b)  [batch, d_l]
          }, input),
        );
      },
    };
  },
});

/** Places of the named columns among the fields; throws where there is none of that name. */
function fieldsOf(member: string, names: readonly string[], columns: readonly string[]): number[] {
  return names.map((name) => {
    const place = columns.indexOf(name);
    if (place >= 0) return place;
    throw new Error(`config.${member}: expected names of ${columns.join(", ")}, got "${name}"`);
  });
}
