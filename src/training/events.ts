/** What a training reports while it runs. Plain data: it crosses a thread boundary. */
import type { Split } from "../data/spec.ts";
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
}

/** One metric of one cell. `value` is null where the metric does not exist (one class only, or no rows). */
export interface CellMetric {
  readonly split: Split;
  readonly scenario: string;
  readonly task: string;
  readonly name: "auc" | "logloss";
  readonly value: number | null;
}

/** Metrics after an epoch; `epoch` null marks the figures of the finished model. */
export interface MetricsEvent {
  readonly epoch: number | null;
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
