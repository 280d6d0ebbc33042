/**
 * The numbers of a training, with the two presets. `REFERENCE` is the official procedure to the letter
 * (spec §5–§8); `RECOMMENDED` is what was found to work better (docs/adr/0003-recommended-preset.md).
 */
import { z } from "zod";
import type { AutoIfsHead } from "../model/spec.ts";
import { equalLosses, lossBalancingParameters } from "./lossBalancing/lossBalancing.ts";

type GateGranularity = AutoIfsHead["gates"];

export const presets = ["RECOMMENDED", "REFERENCE"] as const;
export type Preset = (typeof presets)[number];

const rate = z.number().positive().max(1);
const epochs = z.int().min(1).max(1000);

export const searchParameters = z.object({
  /** Passes over the training split with soft gates. */
  epochs,
  /** Retrain starts from the weights after this many search epochs; below `epochs`. */
  rewindEpoch: z.int().min(0),
  /** The temperature τ grows from 1 to this, geometrically, over the epochs; the drawing of CELL gates has a clock of its own. */
  finalTemperature: z.number().min(1).max(1e6),
  /** ROW: of Adam. CELL: how far a gate moves to what an epoch measured; 1 forgets what was before. */
  gateLearningRate: z.number().min(0).max(1),
  /** ROW: added to the gates' first bias. CELL: the logit of a gate whose flow opens. Below 0 flows start kept. */
  gateInitialBias: z.number().min(-10).max(10),
  /**
   * λ. Above 0 presses towards keeping flows, below 0 towards removing them. ROW: λ·mean σ(τw) in the loss. CELL: a flow is
   * to earn −λ/4 nats of log-loss per row, else it is removed.
   */
  gateRegulariser: z.number().min(-10).max(10),
});

export const selectionParameters = z.object({
  /** Of the validation split. */
  metric: z.enum(["auc", "logloss"]),
  /** How the cells become one score: their mean, the worst of them, or a mean with `weights`. */
  over: z.enum(["MEAN", "WORST", "WEIGHTED"]),
  /** WEIGHTED only; a cell that is not named weighs nothing. */
  weights: z.array(z.object({ scenario: z.string(), task: z.string(), weight: z.number().positive() })).max(10_000),
  /** The score must rise by more than this for the patience to start anew. */
  minimumDifference: z.number().min(0).max(1),
});

export const hyperParameters = z.object({
  embeddingDim: z.int().min(1).max(512),
  batchSize: z.int().min(2).max(65536),
  learningRate: rate,
  /** Added to the gradient as l2·θ before the Adam moments (coupled). */
  l2: z.number().min(0).max(1),
  /** Draw a new row order for every epoch from the seed; otherwise the order of the file. */
  shuffle: z.boolean(),
  /**
   * Share of a training row's ids that are replaced by their field's unknown id, drawn anew in every epoch: trains the
   * ids that values not seen in training will get, and keeps the model from knowing rows by heart.
   */
  fieldDropout: z.number().min(0).max(0.9),
  /**
   * Decay per step of the moving average of the weights which is validated and kept; 0 keeps the weights themselves.
   * Not in the search.
   */
  averagingDecay: z.number().min(0).max(0.9999),
  /** Passes at most; in a search run this is the retrain's, in a run with towers its own. */
  maxEpochs: epochs,
  /** Epochs without a better score before the training stops; 0 stops at the first. */
  patience: z.int().min(0).max(1000),
  /**
   * Scores that differ by less than this count as the same, and of the same the later epoch is kept: its averages are
   * over more steps. 0 keeps the first best epoch.
   */
  selectionTolerance: z.number().min(0).max(0.5),
  /** What is scored after each epoch. */
  selection: selectionParameters,
  /** How the losses of the tasks become one training. */
  lossBalancing: lossBalancingParameters,
  search: searchParameters,
});

export type HyperParameters = z.infer<typeof hyperParameters>;
export type SearchParameters = z.infer<typeof searchParameters>;
export type Selection = z.infer<typeof selectionParameters>;

const reference: HyperParameters = {
  embeddingDim: 16,
  batchSize: 4096,
  learningRate: 3e-4,
  l2: 3e-5,
  shuffle: false,
  fieldDropout: 0,
  averagingDecay: 0,
  maxEpochs: 50,
  patience: 0,
  selectionTolerance: 0,
  selection: { metric: "auc", over: "MEAN", weights: [], minimumDifference: 0 },
  lossBalancing: equalLosses,
  search: {
    epochs: 10,
    rewindEpoch: 9,
    finalTemperature: 100,
    gateLearningRate: 3e-6,
    gateInitialBias: 0,
    gateRegulariser: 0,
  },
};

/** What is other in a search whose gates belong to cells, whatever the preset (docs/adr/0013). */
const cellSearch: HyperParameters["search"] = {
  epochs: 10,
  rewindEpoch: 4,
  finalTemperature: 500,
  gateLearningRate: 0.5,
  gateInitialBias: -0.85,
  gateRegulariser: -0.008,
};

const recommended: HyperParameters = {
  ...reference,
  batchSize: 1024,
  learningRate: 2e-3,
  shuffle: true,
  fieldDropout: 0.1,
  averagingDecay: 0.99,
  patience: 3,
  selectionTolerance: 0.001,
  search: {
    epochs: 10,
    rewindEpoch: 1,
    finalTemperature: 100,
    gateLearningRate: 1e-3,
    gateInitialBias: -0.3,
    gateRegulariser: 0.1,
  },
};

/** What a retrain changes of its search's numbers unless told otherwise: the official code has rates of its own there. */
export function retrainDefaults(preset: Preset): Partial<HyperParameters> {
  return preset === "REFERENCE" ? { learningRate: 1e-4, l2: 3e-4 } : {};
}

/** Row gates' rate for another rate of the weights: the presets fix their ratio (official: 0.01). Cell gates have their own. */
export function gateLearningRateFor(preset: Preset, gates: GateGranularity, learningRate: number): number {
  const base = defaultHyperParameters(preset, gates);
  if (gates === "CELL") return base.search.gateLearningRate;
  return (base.search.gateLearningRate / base.learningRate) * learningRate;
}

/** The paper's gates for the paper's procedure; else those that find what is harmful. */
export function defaultGates(preset: Preset): GateGranularity {
  return preset === "REFERENCE" ? "ROW" : "CELL";
}

/** The numbers of a preset; each may be overridden. */
export function defaultHyperParameters(preset: Preset, gates = defaultGates(preset)): HyperParameters {
  const numbers = preset === "REFERENCE" ? reference : recommended;
  return gates === "CELL" ? { ...numbers, search: cellSearch } : numbers;
}
