/** What a training is given, and what its procedures share: the model, its scorer, its learner, its pacer. */
import { rowsOfCell, shapeOfCell } from "../data/onlyCell.ts";
import type { DatasetShape, Split, SplitRows } from "../data/spec.ts";
import type { Engine } from "../engine/engine.ts";
import {
  type Checkpoint,
  type CheckpointDescription,
  type GateRule,
  modelSizes,
  type NamedArrays,
} from "../model/checkpoint.ts";
import { buildModel, type Model } from "../model/model.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import { createScorer, type Predictions, type Scorer } from "../serving/predictor.ts";
import { createStatisticsReader } from "./backboneStatistics.ts";
import type { StoppingState } from "./earlyStopping.ts";
import { cellMetrics, type MetricDetail } from "./evaluate.ts";
import type { BackboneStatistic, CellMetric, FlowEffect, TrainingHooks, TrainingTimings } from "./events.ts";
import { flowEffects } from "./flowEffects.ts";
import { Learner, type LearnerOptions } from "./learner.ts";
import { createLossBalancer } from "./lossBalancing/lossBalancer.ts";
import type { LossFunction } from "./lossFunctions.ts";
import { Pacer, type TrainingControl } from "./pacer.ts";
import type { RunSpec } from "./runSpec.ts";
import { Stopwatch, timedEngine } from "./timings.ts";
import { learnerStateOf, type Place, type SavedTraining, savedTraining } from "./trainingState.ts";

export interface TrainingInput {
  readonly spec: RunSpec;
  readonly plugin: BackbonePlugin;
  readonly engine: Engine;
  /** Of the whole dataset, also where the run trains on one cell. */
  readonly shape: DatasetShape;
  readonly rows: Readonly<Record<Split, SplitRows>>;
  /** The checkpoint of the search run; PRUNE only. */
  readonly parent?: Checkpoint;
  readonly hooks: TrainingHooks;
  /** Absent: nobody interrupts it, and it saves nothing. */
  readonly control?: TrainingControl;
  /** Names the run in what it saves. */
  readonly run?: string;
  /** What an earlier attempt saved; the training goes on bitwise as if it had never ended. */
  readonly saved?: SavedTraining;
}

/** What the three kinds of run share. */
export interface Workbench extends TrainingInput {
  readonly model: Model;
  readonly description: CheckpointDescription;
  readonly scorer: Scorer;
  readonly pacer: Pacer;
  evaluate(split: Split, detail: MetricDetail, arrays: NamedArrays, gateRule?: GateRule): Promise<Evaluation>;
  /** What the flows are worth in a split whose predictions these are; none for towers. */
  flowEffects(split: Split, predictions: Predictions): Promise<FlowEffect[]>;
  /** What the backbone with these arrays says of rows; default: those of the validation split. */
  backboneStatistics(arrays: NamedArrays, rows?: SplitRows): Promise<BackboneStatistic[]>;
  /** With all that `saved` knows of it. */
  learner(arrays: NamedArrays, loss: LossFunction, options: LearnerChoices): Learner;
  /** The state to be saved: the model that would be kept now, and where the learner is. */
  capture(model: Checkpoint, learner: Learner, place: Place, stopping?: StoppingState): SavedTraining;
  timings(): TrainingTimings;
  /** Frees the graphs of the scorer and of every learner. */
  release(): Promise<void>;
}

type LearnerChoices = Pick<LearnerOptions, "gates" | "averagingDecay" | "frozen"> & {
  /** In place of the workbench's own. */
  readonly model?: Model;
  /** Whose losses the loss function gives; default: all. */
  readonly tasks?: readonly string[];
};

export interface Evaluation extends Predictions {
  readonly metrics: readonly CellMetric[];
}

export async function createWorkbench(input: TrainingInput): Promise<Workbench> {
  const stopwatch = new Stopwatch();
  const engine = timedEngine(input.engine, stopwatch);
  const { spec, plugin, control, saved, run = "" } = input;
  const { shape, rows } = onlyWhatIsTrained(input);
  const { embeddingDim, batchSize, learningRate, l2, lossBalancing } = spec.hyperParameters;
  const description = { model: spec.model, embeddingDim, shape };
  const model = buildModel(spec.model, plugin, modelSizes(description));
  const { budget, pauseAtEpoch } = spec;
  const spent = saved?.training.seconds ?? 0;
  const pacer = new Pacer({ control, budget, pauseAtEpoch, spent });
  const scorer = await createScorer(engine, plugin, description, () => pacer.whileResting());
  const reader = createStatisticsReader(engine, model, shape, () => pacer.whileResting());
  const learners: Learner[] = [];
  return {
    ...input,
    shape,
    rows,
    model,
    description,
    scorer,
    pacer,
    evaluate: (split, detail, arrays, gateRule) =>
      stopwatch.time("evaluate", async () => {
        const predictions = await scorer.predict(arrays, rows[split], gateRule);
        const metrics = cellMetrics(split, rows[split], predictions.probabilities, shape, detail);
        return { ...predictions, metrics };
      }),
    flowEffects: (split, predictions) =>
      stopwatch.time("evaluate", () =>
        flowEffects(rows[split], predictions, shape, { betweenCells: () => pacer.whileResting() }),
      ),
    backboneStatistics: (arrays, read = rows.validation) => stopwatch.time("evaluate", () => reader.read(arrays, read)),
    learner: (arrays, loss, { tasks = shape.tasks, ...options }) => {
      const { seed } = spec;
      const weights = { learningRate, l2 };
      const balancer = createLossBalancer(lossBalancing, { tasks, learningRate, seed });
      const learner = new Learner({ engine, model, arrays, loss, balancer, weights, ...options, batchSize, seed });
      if (saved) learner.restore(learnerStateOf(saved));
      learners.push(learner);
      return learner;
    },
    capture: (kept, learner, place, stopping) =>
      savedTraining(kept, learner, { ...place, ...(stopping ? { stopping } : {}), seconds: pacer.seconds(), run }),
    timings: () => stopwatch.timings(spent),
    async release() {
      for (const held of [scorer, reader, ...learners]) await held.release();
    },
  };
}

function onlyWhatIsTrained({ spec: { cell }, shape, rows }: TrainingInput): Pick<TrainingInput, "shape" | "rows"> {
  if (!cell) return { shape, rows };
  const only = (split: Split): SplitRows => rowsOfCell(rows[split], shape, cell);
  return {
    shape: shapeOfCell(shape, cell),
    rows: { train: only("train"), validation: only("validation"), test: only("test") },
  };
}
