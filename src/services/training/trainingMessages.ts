/** What a worker and the thread of its training say to each other. Plain data. */
import type { DatasetShape, Split } from "../../data/spec.ts";
import type { ErrorCode, ErrorDetail } from "../../errors.ts";
import type { PluginSource } from "../../plugin/registry.ts";
import type {
  BackboneEpoch,
  FlowEffect,
  FlowStatistic,
  GateEpoch,
  LossWeights,
  MetricsEvent,
  Progress,
} from "../../training/events.ts";
import type { TrainingInterrupted } from "../../training/pacer.ts";
import type { ModelSize } from "../../serving/modelSize.ts";
import type { CellChange } from "../../training/pruneRule.ts";
import type { RunSpec } from "../../training/runSpec.ts";
import type { SharedWatch } from "../plugins/pluginWatch.ts";
import type { TrainingResult } from "../../training/runTraining.ts";

/** One training. */
export interface TrainingOrder {
  /** Id of the run. */
  readonly run: string;
  readonly spec: RunSpec;
  /** The backbone. */
  readonly plugin: PluginSource;
  /** By which the thread tells that the plugin is at work. */
  readonly pluginWatch: SharedWatch;
  readonly shape: DatasetShape;
  /** Paths of the encoded splits. */
  readonly files: Readonly<Record<Split, string>>;
  /** Path of the search run's checkpoint; PRUNE only. */
  readonly parent?: string;
  /** Path of what an earlier attempt saved. */
  readonly saved?: string;
  readonly saveEverySeconds: number;
  /**
   * One shared number, an index of `wishes`: what the training is to do after its step. Ending the thread from outside
   * instead would kill the process where the thread is inside the native library.
   */
  readonly wish: Int32Array;
}

export const wishes = ["GO_ON", "SAVE_AND_STOP", "STOP"] as const;

/** What the thread says, the last message being DONE, INTERRUPTED or FAILED. */
export type TrainingMessage =
  | { readonly kind: "VERSIONS"; readonly versions: Readonly<Record<string, string>> }
  | { readonly kind: "PROGRESS"; readonly progress: Progress }
  | { readonly kind: "METRICS"; readonly event: MetricsEvent }
  | { readonly kind: "FLOWS"; readonly statistics: readonly FlowStatistic[] }
  | { readonly kind: "GATES"; readonly epoch: GateEpoch }
  | { readonly kind: "BALANCE"; readonly weights: LossWeights }
  | { readonly kind: "STATISTICS"; readonly epoch: BackboneEpoch }
  | { readonly kind: "EFFECTS"; readonly effects: readonly FlowEffect[] }
  | { readonly kind: "VERIFIED"; readonly changes: readonly CellChange[] }
  /** To be answered with true once it is kept, with false where it cannot be. */
  | {
      readonly kind: "STATE";
      readonly bytes: Uint8Array;
      readonly epoch: number;
      readonly step: number;
      readonly isModel: boolean;
    }
  | ({
      readonly kind: "DONE";
      readonly checkpoint: Uint8Array;
      readonly predictions: Uint8Array;
      /** Absent where it could not be measured. */
      readonly size?: ModelSize;
    } & Pick<TrainingResult, "stopReason" | "timings">)
  | { readonly kind: "INTERRUPTED"; readonly reason: TrainingInterrupted["reason"] }
  | {
      readonly kind: "FAILED";
      /** Absent for a fault of ours. */
      readonly code?: ErrorCode;
      readonly message: string;
      readonly detail: ErrorDetail;
      readonly stack: string;
    };
