/** What a training reports while it runs. Plain data: it crosses a thread boundary. */
import type { Split } from "../data/spec.ts";
import type { Measurement } from "../metrics/measurement.ts";
import type { FlowName } from "../model/spec.ts";

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

/** How an epoch came out. */
export interface EpochSummary {
  readonly phase: Progress["phase"];
  /** Counts from 1. */
  readonly epoch: number;
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

/** One flow of one cell over the training rows of that scenario. */
export interface FlowStatistic {
  readonly scenario: string;
  readonly task: string;
  readonly flow: FlowName;
  /** Share of rows in which the flow is removed (hard gate 1). */
  readonly shareRemoved: number;
  /** Mean soft gate σ(τw) at the final temperature, in [0, 1]. */
  readonly meanGate: number;
}

export interface TrainingHooks {
  progress(progress: Progress): void;
  metrics(event: MetricsEvent): void;
  flows(statistics: readonly FlowStatistic[]): void;
}

export interface TrainingTimings {
  /** Milliseconds. */
  readonly total: number;
  readonly compile: number;
  readonly train: number;
  readonly evaluate: number;
}
