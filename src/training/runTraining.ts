/** Runs one training from its spec: the door of this folder for the training thread. */
import type { DatasetShape, Split, SplitRows } from "../data/spec.ts";
import type { Engine } from "../engine/engine.ts";
import { InvalidInputError } from "../errors.ts";
import type { Checkpoint, CheckpointDescription, GateRule, NamedArrays } from "../model/checkpoint.ts";
import { initialise, initialiseBuffers } from "../model/initialise.ts";
import { buildModel, type Model } from "../model/model.ts";
import { type BackbonePlugin, type ParamSpecs } from "../plugin/contract.ts";
import { glorotUniform, param } from "../plugin/layers.ts";
import { createScorer, type Scorer } from "../serving/predictor.ts";
import { fit } from "./epochs.ts";
import { cellMetrics } from "./evaluate.ts";
import type { CellMetric, TrainingHooks, TrainingTimings } from "./events.ts";
import { flowStatistics } from "./flowStatistics.ts";
import { type AdamGroup, Learner } from "./learner.ts";
import { type LossFunction, retrainLoss, searchLoss, towersLoss } from "./lossFunctions.ts";
import type { RunSpec } from "./runSpec.ts";
import { search } from "./searchProcedure.ts";
import { Stopwatch, timedEngine } from "./timings.ts";

export interface TrainingInput {
  readonly spec: RunSpec;
  readonly plugin: BackbonePlugin;
  readonly engine: Engine;
  readonly shape: DatasetShape;
  readonly rows: Readonly<Record<Split, SplitRows>>;
  /** The checkpoint of the search run; PRUNE only. */
  readonly parent?: Checkpoint;
  readonly hooks: TrainingHooks;
}

export interface TrainingResult {
  readonly checkpoint: Checkpoint;
  readonly timings: TrainingTimings;
}

/** What the three kinds of run share. */
interface Workbench extends TrainingInput {
  readonly model: Model;
  readonly description: CheckpointDescription;
  readonly scorer: Scorer;
  metricsOf(split: Split, arrays: NamedArrays, gateRule?: GateRule): Promise<CellMetric[]>;
  learner(arrays: NamedArrays, loss: LossFunction, options: { gates?: AdamGroup; averagingDecay: number }): Learner;
}

/** Trains to the end and reports on the way; the same input gives bitwise the same checkpoint on one machine. */
export async function runTraining(input: TrainingInput): Promise<TrainingResult> {
  const stopwatch = new Stopwatch();
  const engine = timedEngine(input.engine, stopwatch);
  const { spec, plugin, shape, rows, hooks } = input;
  const { embeddingDim, batchSize, learningRate, l2 } = spec.hyperParameters;
  const sizes = { fields: shape.fields, embeddingDim, scenarios: shape.scenarios.length, tasks: shape.tasks.length };
  const model = buildModel(spec.model, plugin, sizes);
  const description = { model: spec.model, embeddingDim, shape };
  const scorer = await createScorer(engine, plugin, description);
  const workbench: Workbench = {
    ...input,
    model,
    description,
    scorer,
    metricsOf: (split, arrays, gateRule) =>
      stopwatch.time("evaluate", async () => {
        const { probabilities } = await scorer.predict(arrays, rows[split], gateRule);
        return cellMetrics(split, rows[split], probabilities, shape);
      }),
    learner: (arrays, loss, options) =>
      new Learner({
        engine,
        model,
        arrays,
        loss,
        weights: { learningRate, l2 },
        ...options,
        batchSize,
        seed: spec.seed,
      }),
  };
  const procedures = { SEARCH: runSearch, PRUNE: runPrune, TRAIN: runTowers };
  const checkpoint = await procedures[spec.kind](workbench);
  const { arrays, gateRule } = checkpoint;
  const final = [
    ...(await workbench.metricsOf("validation", arrays, gateRule)),
    ...(await workbench.metricsOf("test", arrays, gateRule)),
  ];
  hooks.metrics({ epoch: null, metrics: final });
  await scorer.release();
  return { checkpoint, timings: stopwatch.timings() };
}

/** SEARCH: soft gates; the checkpoint holds the end of the search and, under "rewind/", where a retrain starts. */
async function runSearch(workbench: Workbench): Promise<Checkpoint> {
  const { spec, model, description, rows, hooks, metricsOf, scorer, shape } = workbench;
  const { search: parameters, ...hyperParameters } = spec.hyperParameters;
  const gates = { learningRate: parameters.gateLearningRate, l2: 0 };
  const arrays = firstArrays(workbench, { ...model.weights, ...model.gates });
  const bias = arrays["gate/flows.bias"]!.values;
  for (const i of bias.keys()) bias[i]! += parameters.gateInitialBias;
  const loss = searchLoss(
    model,
    shape.tasks.map(() => parameters.gateRegulariser),
  );
  const learner = workbench.learner(arrays, loss, { gates, averagingDecay: 0 });
  const result = await search({
    learner,
    rows: rows.train,
    seed: spec.seed,
    unknownIds: shape.unknownIds,
    hooks,
    hyperParameters: { ...hyperParameters, search: parameters },
    validate: (temperature) => metricsOf("validation", learner.current(), { kind: "SOFT", temperature }),
  });
  await learner.release();
  const gateRule: GateRule = { kind: "SOFT", temperature: parameters.epochs === 1 ? 1 : parameters.finalTemperature };
  const { gateLogits } = await scorer.predict(result.final, rows.train, gateRule);
  hooks.flows(flowStatistics(rows.train, gateLogits!, shape, { threshold: 0, temperature: gateRule.temperature }));
  const rewind = Object.fromEntries(Object.entries(result.rewind).map(([name, array]) => [`rewind/${name}`, array]));
  return { ...description, gateRule, arrays: { ...result.final, ...rewind } };
}

/** PRUNE (spec §7): weights and embedding from the rewind epoch, gates and gate embedding from the search's end. */
async function runPrune(workbench: Workbench): Promise<Checkpoint> {
  const { spec, model, description, parent, rows, hooks, metricsOf, scorer, shape } = workbench;
  if (parent?.gateRule?.kind !== "SOFT")
    throw new InvalidInputError("prune: expected the checkpoint of a search run as the parent", { field: "parent" });
  const { temperature } = parent.gateRule;
  const gateRule: GateRule = { kind: "HARD", threshold: gateThreshold(spec.pruneThreshold ?? 0.5, temperature) };
  const isGate = (name: string): boolean => name.startsWith("gate/");
  const frozen: NamedArrays = {
    ...Object.fromEntries(Object.entries(parent.arrays).filter(([name]) => isGate(name))),
    gateEmbedding: parent.arrays["embedding"]!,
  };
  const weights = Object.fromEntries(
    Object.entries(parent.arrays)
      .filter(([name]) => name.startsWith("rewind/") && !isGate(name.slice("rewind/".length)))
      .map(([name, array]) => [name.slice("rewind/".length), array]),
  );

  const { gates, gateLogits } = await scorer.predict({ ...weights, ...frozen }, rows.train, gateRule);
  hooks.flows(flowStatistics(rows.train, gateLogits!, shape, { threshold: gateRule.threshold, temperature }));
  const { averagingDecay } = spec.hyperParameters;
  const learner = workbench.learner(weights, retrainLoss(model), { averagingDecay });
  const best = await fit({
    learner,
    rows: rows.train,
    gates: Uint8Array.from(gates!),
    ...spec.hyperParameters,
    unknownIds: shape.unknownIds,
    seed: spec.seed,
    phase: "retrain",
    hooks,
    validate: () => metricsOf("validation", { ...learner.kept(), ...frozen }, gateRule),
  });
  await learner.release();
  return { ...description, gateRule, arrays: { ...best, ...frozen } };
}

/** TRAIN: towers on the backbone, no gates. */
async function runTowers(workbench: Workbench): Promise<Checkpoint> {
  const { spec, model, description, rows, hooks, metricsOf, shape } = workbench;
  const { averagingDecay } = spec.hyperParameters;
  const arrays = firstArrays(workbench, model.weights);
  const learner = workbench.learner(arrays, towersLoss(model), { averagingDecay });
  const best = await fit({
    learner,
    rows: rows.train,
    ...spec.hyperParameters,
    unknownIds: shape.unknownIds,
    seed: spec.seed,
    phase: "train",
    hooks,
    validate: () => metricsOf("validation", learner.kept()),
  });
  await learner.release();
  return { ...description, arrays: best };
}

/** The embedding table (Glorot uniform over [ids, e]), parameters and buffers at the start. */
function firstArrays({ spec, shape, model }: Workbench, params: ParamSpecs): NamedArrays {
  const { embeddingDim } = spec.hyperParameters;
  const table = { embedding: param([shape.ids, embeddingDim], glorotUniform(shape.ids, embeddingDim)) };
  return { ...initialise({ ...table, ...params }, spec.seed), ...initialiseBuffers(model.buffers) };
}

/** The w at which σ(τw) reaches `share`: the paper's 0.5 is w = 0, exactly. */
export function gateThreshold(share: number, temperature: number): number {
  return Math.log(share / (1 - share)) / temperature;
}
