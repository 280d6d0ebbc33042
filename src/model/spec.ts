/** Which model: a backbone by name and the head on top of it. Stored with every run and checkpoint. */
import type { TaskConditions } from "../taskConditions.ts";
import type { FieldLayout } from "../fieldLayout.ts";

export interface AutoIfsHead {
  readonly kind: "AUTOIFS";
  /** Widths of the scenario layers, at least one. */
  readonly scenarioLayers: readonly number[];
  /** Widths of the task layers before the last one, whose width is always 1; often empty. */
  readonly taskLayers: readonly number[];
  /** Rank r of every LoRA pair. */
  readonly rank: number;
  /**
   * What decides over a flow: ROW, the paper's network over the row's embeddings; CELL, one number per scenario × task,
   * which needs no network (docs/adr/0013).
   */
  readonly gates: "ROW" | "CELL";
  /** Widths of the gate network, at least one; without meaning where `gates` is CELL. */
  readonly gateLayers: readonly number[];
  /** Batch norm before each ReLU of the full path and of the gate network. */
  readonly batchNorm: boolean;
  /** Share of units set to zero after each ReLU of the full path and of the gate network in training. */
  readonly dropout: number;
}

export interface TowersHead {
  readonly kind: "TOWERS";
  /** Widths of each task's tower before its last layer of width 1. */
  readonly layers: readonly number[];
}

export type HeadSpec = AutoIfsHead | TowersHead;

/** How many scenarios and tasks a model had. */
export interface Generation {
  readonly scenarios: number;
  readonly tasks: number;
}

export interface ModelSpec {
  readonly backbone: { readonly name: string; readonly config: unknown };
  readonly head: HeadSpec;
  /** The sizes before scenarios or tasks were added, oldest first; absent: it is as it was first trained. */
  readonly generations?: readonly Generation[];
}

export const flowNames = ["SHARED_SHARED", "SCENARIO_TASK", "SHARED_TASK", "SCENARIO_SHARED"] as const;
/** Scenario side then task side: f0 = sh→sh, f1 = k→m, f2 = sh→m, f3 = k→sh (spec §1, in gate column order). */
export type FlowName = (typeof flowNames)[number];

/** The sizes a model is built for. */
export interface ModelSizes {
  /** Names of the fields' columns; default: field0, field1 ... */
  readonly columns?: readonly string[];
  readonly fields: number;
  /** What a row holds for each field [fields]; default: one id each. */
  readonly layouts?: readonly FieldLayout[];
  readonly embeddingDim: number;
  readonly scenarios: number;
  readonly tasks: number;
  /** Which tasks count only where another is 1 [tasks]; absent: none. */
  readonly conditions?: TaskConditions;
}
