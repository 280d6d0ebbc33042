/** Trainings of tiny models on the tiny dataset, and what they report. */
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import { createEngine } from "../../src/engine/engines.ts";
import type { AutoIfsHead, HeadSpec, TowersHead } from "../../src/model/spec.ts";
import type {
  BackboneEpoch,
  FlowEffect,
  FlowStatistic,
  GateEpoch,
  LossWeights,
  MetricsEvent,
  Progress,
} from "../../src/training/events.ts";
import type { BackbonePlugin } from "../../src/plugin/contract.ts";
import { defaultHyperParameters, type HyperParameters } from "../../src/training/hyperParameters.ts";
import { runTraining, type TrainingInput, type TrainingResult } from "../../src/training/runTraining.ts";
import type { CellChange } from "../../src/training/pruneRule.ts";
import type { RunSpec } from "../../src/training/runSpec.ts";
import { tinyShape, tinySplits } from "./tinyDataset.ts";

export const autoIfs: AutoIfsHead = {
  kind: "AUTOIFS",
  scenarioLayers: [8],
  taskLayers: [],
  rank: 2,
  gates: "ROW",
  gateLayers: [8],
  batchNorm: false,
  dropout: 0,
};

export const towers: TowersHead = { kind: "TOWERS", layers: [8] };

const defaults = defaultHyperParameters("RECOMMENDED", autoIfs.gates);

export const hyperParameters: HyperParameters = {
  ...defaults,
  embeddingDim: 4,
  batchSize: 128,
  learningRate: 1e-2,
  maxEpochs: 8,
  search: { ...defaults.search, epochs: 3, rewindEpoch: 1 },
};

export interface TinyTraining
  extends Partial<Omit<RunSpec, "model">>, Pick<TrainingInput, "parent" | "control" | "saved"> {
  /** Default: the tiny dataset. */
  readonly dataset?: Pick<TrainingInput, "shape" | "rows">;
  /** With the configuration of shared-bottom, which is the default. */
  readonly plugin?: BackbonePlugin;
  readonly head?: HeadSpec;
  /** What is reported goes here. */
  readonly record?: Recording;
}

export interface Recording {
  readonly events: MetricsEvent[];
  readonly progress: Progress[];
  flows: readonly FlowStatistic[];
  readonly gates: GateEpoch[];
  readonly balance: LossWeights[];
  readonly statistics: BackboneEpoch[];
  effects: readonly FlowEffect[];
  verified: readonly CellChange[];
}

export const newRecording = (): Recording => ({
  events: [],
  progress: [],
  flows: [],
  gates: [],
  balance: [],
  statistics: [],
  effects: [],
  verified: [],
});

/** Seed 1, the hyper-parameters above and, unless it is a TRAIN run, the AutoIFS head above. */
export async function train({
  kind = "TRAIN",
  head = kind === "TRAIN" ? towers : autoIfs,
  parent,
  control,
  saved,
  record = newRecording(),
  plugin = sharedBottom,
  dataset = { shape: tinyShape, rows: tinySplits() },
  ...spec
}: TinyTraining): Promise<TrainingResult> {
  const engine = await createEngine("compiled");
  const model = {
    backbone: { name: "shared-bottom", config: { layers: [16, 8], batchNorm: false, dropout: 0 } },
    head,
  };
  return runTraining({
    spec: { kind, model, hyperParameters, seed: 1, engine: "compiled", ...spec },
    plugin,
    engine,
    ...dataset,
    parent,
    control,
    saved,
    run: "run_1",
    hooks: {
      progress: (progress) => void record.progress.push(progress),
      metrics: (event) => void record.events.push(event),
      flows: (flows) => void (record.flows = flows),
      gates: (epoch) => void record.gates.push(epoch),
      balance: (weights) => void record.balance.push(weights),
      statistics: (epoch) => void record.statistics.push(epoch),
      effects: (effects) => void (record.effects = effects),
      verified: (changes) => void (record.verified = changes),
    },
  });
}
