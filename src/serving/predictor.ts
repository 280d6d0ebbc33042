/**
 * A model that answers rows of ids: gathers embeddings, runs the forward graph, applies the gate rule. Training
 * evaluates with it too, so the metrics of a run are those of the code that serves it.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { createEngine, defaultEngine } from "../engine/engines.ts";
import type { Engine, InputSpecs, Program, TensorFunction } from "../engine/engine.ts";
import { type Checkpoint, type CheckpointDescription, type GateRule, modelSizes } from "../model/checkpoint.ts";
import { asGateFields } from "../model/gateFields.ts";
import { softGates } from "../model/loss.ts";
import { buildModel, type Model } from "../model/model.ts";
import { rowSlots } from "../model/rowSlots.ts";
import type { BackbonePlugin, BufferSpecs, ParamSpecs } from "../plugin/contract.ts";
import { createGenerationsScorer, type GenerationScorer } from "./generations.ts";
import type { PredictionRows, Predictions, Scorer } from "./scorer.ts";

export type { PredictionRows, Predictions, Scorer } from "./scorer.ts";

export interface Predictor {
  predict(rows: PredictionRows): Promise<Predictions>;
  release(): Promise<void>;
}

/** Rows per run of the graph; what a batch needs in memory is bounded by it. */
const chunkRows = 4096;

/**
 * `betweenChunks` is called now and then while many rows are scored; what it throws ends the scoring. With `isOneGraph` a
 * model with generations answers all cells with its newest graph, and old ones to rounding alone.
 */
export async function createScorer(
  engine: Engine,
  plugin: BackbonePlugin,
  description: CheckpointDescription,
  betweenChunks: () => Promise<void> = () => Promise.resolve(),
  { isOneGraph = false }: { readonly isOneGraph?: boolean } = {},
): Promise<Scorer> {
  const create = async (part: CheckpointDescription): Promise<GenerationScorer> => {
    const model = buildModel(part.model, plugin, modelSizes(part));
    const specs = { ...model.weights, ...model.gates, ...model.buffers };
    return { scorer: graphScorer(engine, model, betweenChunks), specs };
  };
  return description.model.generations && !isOneGraph
    ? createGenerationsScorer(description, create)
    : (await create(description)).scorer;
}

function graphScorer(engine: Engine, model: Model, betweenChunks: () => Promise<void>): Scorer {
  const { sizes } = model;
  const { embeddingDim } = sizes;
  const slots = rowSlots(sizes);
  const width = slots.ids * embeddingDim;
  const specs: InputSpecs = {
    // Gathered, from the table of the model and from that of its gates.
    features: { shape: ["batch", width] },
    gateFeatures: { shape: ["batch", width] },
    ...(slots.pooled > 0 ? { present: { shape: ["batch", slots.pooled] } } : {}),
    ...(slots.numbers > 0 ? { numbers: { shape: ["batch", slots.numbers] } } : {}),
    scenarioOneHot: { shape: ["batch", sizes.scenarios] },
    // Soft gates are σ(slope·w); hard gates 1[w > threshold].
    slope: { shape: [1] },
    threshold: { shape: [1] },
    removed: { shape: [sizes.scenarios, 4 * sizes.tasks] },
  };
  const paramSpecs = (kind: GateRule["kind"] | "NONE"): InputSpecs =>
    Object.fromEntries(
      Object.entries(paramsUnder(model, kind)).map(([name, spec]) => [`p/${name}`, { shape: spec.shape }]),
    );
  const programs = new Map<GateRule["kind"] | "NONE", Promise<Program>>();
  const programFor = (kind: GateRule["kind"] | "NONE"): Promise<Program> => {
    const known = programs.get(kind) ?? engine.compile(forward(model, kind), { ...specs, ...paramSpecs(kind) });
    programs.set(kind, known);
    return known;
  };

  return {
    async predict(arrays, rows, gateRule) {
      const program = await programFor(gateRule?.kind ?? "NONE");
      const fixed: Record<string, Float32Array> = {
        slope: Float32Array.of(gateRule?.kind === "SOFT" ? gateRule.temperature : 1),
        threshold: Float32Array.of(gateRule?.kind === "HARD" ? gateRule.threshold : 0),
        removed:
          gateRule?.kind === "FIXED"
            ? Float32Array.from(gateRule.removed)
            : new Float32Array(sizes.scenarios * 4 * sizes.tasks),
      };
      for (const name of Object.keys(paramsUnder(model, gateRule?.kind ?? "NONE")))
        fixed[`p/${name}`] = (arrays[name] ?? arrays[name.replace(/^gateFields/, "fields")])!.values;
      const embedding = arrays["embedding"]!.values;
      const gateEmbedding = arrays["gateEmbedding"]?.values;
      const T = sizes.tasks;
      const probabilities = new Float32Array(rows.rows * T);
      const full = new Float32Array(gateRule ? rows.rows * T : 0);
      const flows = new Float32Array(gateRule ? rows.rows * 4 * T : 0);
      const gates = new Float32Array(flows.length);
      const gateLogits = new Float32Array(flows.length);
      for (let start = 0; start < rows.rows; start += chunkRows) {
        if (start > 0) await betweenChunks();
        const end = Math.min(start + chunkRows, rows.rows);
        const ids = rows.ids.subarray(start * slots.ids, end * slots.ids);
        const numbers = rows.numbers.subarray(start * slots.numbers, end * slots.numbers);
        const present = new Float32Array((end - start) * slots.pooled);
        slots.fillPresent(ids, present);
        const features = gather(ids, embedding, embeddingDim);
        const gateFeatures = gateEmbedding ? gather(ids, gateEmbedding, embeddingDim) : features;
        const scenarioOneHot = oneHot(rows.scenario.subarray(start, end), sizes.scenarios);
        const ofRows = { features, gateFeatures, present, numbers, scenarioOneHot };
        const outputs = await program.run({ ...fixed, ...ofRows });
        probabilities.set(outputs["probabilities"]!, start * T);
        if (!gateRule) continue;
        full.set(outputs["full"]!, start * T);
        flows.set(outputs["flows"]!, start * 4 * T);
        gates.set(outputs["gates"]!, start * 4 * T);
        gateLogits.set(outputs["gateLogits"]!, start * 4 * T);
      }
      return gateRule
        ? { probabilities, partialLogits: interleave(full, flows), gates, gateLogits }
        : { probabilities };
    },
    async release() {
      for (const program of programs.values()) await (await program).release();
      programs.clear();
    },
  };
}

/** A trained model ready to answer; release it when it is no longer needed. */
export async function loadPredictor(checkpoint: Checkpoint, plugin: BackbonePlugin): Promise<Predictor> {
  const scorer = await createScorer(await createEngine(defaultEngine), plugin, checkpoint);
  return {
    predict: (rows) => scorer.predict(checkpoint.arrays, rows, checkpoint.gateRule),
    release: () => scorer.release(),
  };
}

/** With FIXED gates a model has no gate parameters of its own, with HARD ones its gates read fields as they were. */
function paramsUnder(model: Model, kind: GateRule["kind"] | "NONE"): ParamSpecs & BufferSpecs {
  const buffers = Object.entries(model.buffers).filter(([name]) => kind !== "FIXED" || !name.startsWith("gate/"));
  return {
    ...model.weights,
    ...(kind === "FIXED" ? {} : model.gates),
    ...(kind === "HARD" ? asGateFields(model.weights) : {}),
    ...Object.fromEntries(buffers),
  } as ParamSpecs & BufferSpecs;
}

function forward(model: Model, kind: GateRule["kind"] | "NONE"): TensorFunction {
  const names = Object.keys(paramsUnder(model, kind));
  return (inputs) => {
    const p = Object.fromEntries(names.map((name) => [name, inputs[`p/${name}`]!]));
    const rows = { present: inputs["present"] as Tensor2D, numbers: inputs["numbers"] as Tensor2D };
    const features = model.features(p, { ...rows, gathered: inputs["features"] as Tensor2D });
    const scenarioOneHot = inputs["scenarioOneHot"] as Tensor2D;
    if (model.towers) return { probabilities: tf.sigmoid(model.towers(p, { features, scenarioOneHot }).output) };
    const { output } = model.partials!(p, { features, scenarioOneHot });
    if (kind === "FIXED") {
      const fixed = tf.matMul<Tensor2D>(scenarioOneHot, inputs["removed"] as Tensor2D); // [batch, 4T]
      return {
        ...output,
        gateLogits: fixed,
        gates: tf.clone(fixed),
        probabilities: tf.sigmoid(model.gatedLogits!(output, fixed)),
      };
    }
    const gathered = inputs["gateFeatures"] as Tensor2D;
    const gateFeatures = model.features(p, { ...rows, gathered }, kind === "HARD" ? "gateFields" : "fields");
    const gateLogits = model.gateLogits!(p, { features: gateFeatures, scenarioOneHot }).output;
    const gates: Tensor =
      kind === "HARD"
        ? tf.cast(tf.greater(gateLogits, inputs["threshold"]!), "float32")
        : softGates(gateLogits, inputs["slope"]!);
    return { ...output, gateLogits, gates, probabilities: tf.sigmoid(model.gatedLogits!(output, gates as Tensor2D)) };
  };
}

function gather(ids: Int32Array, table: Float32Array, dim: number): Float32Array {
  const out = new Float32Array(ids.length * dim);
  for (let i = 0; i < ids.length; i++) {
    const from = ids[i]! * dim;
    for (let j = 0; j < dim; j++) out[i * dim + j] = table[from + j]!;
  }
  return out;
}

function oneHot(indices: Int32Array, depth: number): Float32Array {
  const out = new Float32Array(indices.length * depth);
  for (const [row, index] of indices.entries()) out[row * depth + index] = 1;
  return out;
}

/** [cells] and [cells, 4] → [cells, 5]. */
function interleave(full: Float32Array, flows: Float32Array): Float32Array {
  return new Float32Array(full.length * 5).map((_, i) =>
    i % 5 === 0 ? full[i / 5]! : flows[Math.floor(i / 5) * 4 + (i % 5) - 1]!,
  );
}
