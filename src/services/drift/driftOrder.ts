/** What is computed for a drift in a thread of its own, and what comes of it. Plain data, for it passes between threads. */
import type { Measurement } from "../../metrics/measurement.ts";
import type { Reliability } from "../../metrics/reliability.ts";

/** To be counted: the training rows of a dataset. */
export interface TrainingOrder {
  readonly kind: "TRAINING";
  /** Paths. */
  readonly trainFile: string;
  readonly transformFile: string;
}

export interface TrainingDistribution {
  readonly scenarios: readonly string[];
  readonly fields: readonly {
    readonly column: string;
    /**
     * What its own bins stand for, at most 20: values of a category, numbers of buckets, from where to where a number is; empty: a
     * missing value. Null: nothing is counted.
     */
    readonly values: readonly string[] | null;
    /** Whether there are known values beside them. */
    readonly hasOthers: boolean;
  }[];
  /** [scenarios, fields, bins] */
  readonly rows: readonly number[];
}

/** To be measured: the rows of cells with what was predicted and what happened. */
export interface CalibrationOrder {
  readonly kind: "CALIBRATION";
  /** At least one row in each. */
  readonly cells: readonly LabelledCell[];
}

export interface LabelledCell {
  /** [rows] */
  readonly probabilities: Float32Array;
  /** 0 or 1 [rows] */
  readonly labels: Float32Array;
}

export interface MeasuredCell extends Reliability {
  readonly rows: number;
  readonly auc: Measurement;
  readonly logloss: Measurement;
  /** Predicted over actual positives. */
  readonly ratio: Measurement;
}

export type DriftOrder = TrainingOrder | CalibrationOrder;

export type DriftResult<Order extends DriftOrder> = Order extends TrainingOrder
  ? TrainingDistribution
  : readonly MeasuredCell[];
