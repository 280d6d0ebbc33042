/** What a training reports while it runs. Plain data: it crosses a thread boundary. */
import type { Split } from "../data/spec.ts";
import type { Measurement } from "../metrics/measurement.ts";
import type { Change } from "../metrics/pairedChange.ts";
import type { FlowName } from "../model/spec.ts";
import type { TaskWeight } from "./lossBalancing/lossBalancer.ts";
import type { CellChange } from "./pruneRule.ts";

export interface Progress {
  readonly phase: "search" | "retrain" | "train";
  /** Counts from 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly samplesPerSecond: number;
  readonly loss: number;
  /** Search only. */
  readonly temperature?: number;
  /** Estimate for the epochs that are left at most; without the validations. */
  readonly secondsLeft: number;
}

/** Why a training ended well. */
export type StopReason = "COMPLETED" | "EARLY_STOPPING" | "BUDGET_EPOCHS" | "BUDGET_SECONDS";

/** One metric of one cell. */
export interface CellMetric extends Measurement {
  readonly split: Split;
  readonly scenario: string;
  readonly task: string;
}

export interface EpochPlace {
  readonly phase: Progress["phase"];
  /** Counts from 1. */
  readonly epoch: number;
}

/** How an epoch came out. */
export interface EpochSummary extends EpochPlace {
  readonly epochs: number;
  /** Mean over the cells of the validation split that have an AUC; null if none has. */
  readonly meanAuc: number | null;
  /** What early stopping looks at, higher is better; null where no cell has the metric. */
  readonly score: number | null;
}

/** Metrics after an epoch, or (`summary` null) of the finished model. */
export interface MetricsEvent {
  readonly summary: EpochSummary | null;
  readonly metrics: readonly CellMetric[];
}

/** One flow of one cell over rows of that scenario. */
export interface FlowStatistic {
  readonly scenario: string;
  readonly task: string;
  readonly flow: FlowName;
  /** Share of rows in which the flow is removed (hard gate 1). */
  readonly shareRemoved: number;
  /** Mean soft gate σ(τw), in [0, 1]. */
  readonly meanGate: number;
  /** Mean binary entropy of the soft gate in bits: 0 where all are decided, 1 where all are ½. */
  readonly entropy: number;
  /** Share of rows whose soft gate is below 0.01 or above 0.99. */
  readonly saturation: number;
  /** Mean w, which no temperature has sharpened. */
  readonly meanLogit: number;
}

/** The gates after an epoch of a search, over the validation rows. */
export interface GateEpoch {
  /** Counts from 1; 0: before the first step. */
  readonly epoch: number;
  /** τ of that epoch. */
  readonly temperature: number;
  readonly flows: readonly FlowStatistic[];
}

/**
 * What one flow of one cell is worth to a finished model: its metrics on the validation rows with the flow left out
 * (gate 1 in every row) or left in (gate 0), minus those of the model as it is.
 */
export interface FlowEffect {
  readonly scenario: string;
  readonly task: string;
  readonly flow: FlowName;
  /** Rows looked at. */
  readonly rows: number;
  /** Mean gate of the model as it is; null without rows. */
  readonly removed: number | null;
  readonly outAuc: Change;
  readonly outLogloss: Change;
  readonly inAuc: Change;
  readonly inLogloss: Change;
}

/** What the losses of the tasks weighed in the steps of an epoch. */
export interface LossWeights extends EpochPlace {
  /** The mean over the steps; under PCGRAD that of the share of its gradient. */
  readonly weights: readonly TaskWeight[];
}

/** One statistic of the backbone: its means over rows of that scenario. */
export interface BackboneStatistic {
  /** As the backbone calls it. */
  readonly name: string;
  readonly scenario: string;
  /** One for each of its columns. */
  readonly values: readonly number[];
}

/** The backbone after an epoch, over the validation rows; of an EXTEND run over those of its new cells. */
export interface BackboneEpoch extends EpochPlace {
  readonly statistics: readonly BackboneStatistic[];
}

export interface TrainingHooks {
  progress(progress: Progress): void;
  metrics(event: MetricsEvent): void;
  /** Of the finished gates, over the training rows. */
  flows(statistics: readonly FlowStatistic[]): void;
  gates(epoch: GateEpoch): void;
  balance(weights: LossWeights): void;
  /** Only of backbones that have statistics. */
  statistics(epoch: BackboneEpoch): void;
  effects(effects: readonly FlowEffect[]): void;
  /** PRUNE with an allowed loss: the retrained model against the searched one, on the validation split. */
  verified(changes: readonly CellChange[]): void;
}

export interface TrainingTimings {
  /** Milliseconds. */
  readonly total: number;
  readonly compile: number;
  readonly train: number;
  readonly evaluate: number;
}
