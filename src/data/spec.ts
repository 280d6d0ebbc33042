/** What a dataset is made from: columns, their meaning, and the split. Plain data, stored with the dataset as it is. */
import type { FieldLayout } from "../fieldLayout.ts";
import type { TaskConditions } from "../taskConditions.ts";

/** Numbers become small integers before they are counted, a missing one its own bucket; or stay numbers, with VALUE. */
export type Bucketing =
  /** The paper's rule: v > 2 → floor((ln v)²), otherwise v truncated to an integer. */
  | { readonly kind: "LOG_SQUARED" }
  /** `count` buckets with equal numbers of training rows. */
  | { readonly kind: "QUANTILES"; readonly count: number }
  /** Bucket i holds boundaries[i-1] <= v < boundaries[i]; ascending. */
  | { readonly kind: "BOUNDARIES"; readonly boundaries: readonly number[] }
  /** No buckets: the number itself, brought to a common scale (fieldNumbers.ts). */
  | { readonly kind: "VALUE"; readonly scale: NumberScale };

/** STANDARD: of the number. LOG: of sign(x) · ln(1 + |x|), for numbers of very different sizes. */
export type NumberScale = "STANDARD" | "LOG";

/** MEAN: all values alike. TARGET_ATTENTION: each as much as it has to do with the value of another field. */
export type Pooling = "MEAN" | "TARGET_ATTENTION";

/** `minimumCount`: values in fewer training rows share the field's unknown value; 1 where nothing is counted. */
export type FieldSpec =
  | { readonly column: string; readonly kind: "CATEGORICAL"; readonly minimumCount: number }
  | {
      readonly column: string;
      readonly kind: "NUMERIC";
      readonly minimumCount: number;
      readonly bucketing: Bucketing;
    }
  /** Any number of texts in one cell, without an order and each once: the first `maximumLength` count. */
  | {
      readonly column: string;
      readonly kind: "MULTI_VALUED";
      readonly minimumCount: number;
      readonly separator: string;
      readonly maximumLength: number;
    }
  /** The same in the order of time: the last `maximumLength` count. */
  | {
      readonly column: string;
      readonly kind: "SEQUENCE";
      readonly minimumCount: number;
      readonly separator: string;
      readonly maximumLength: number;
      readonly pooling: Pooling;
      /** Column of a CATEGORICAL field whose ids the values get. Absent: they have ids of their own. */
      readonly target?: string;
    }
  /** `width` numbers in one cell, taken as they are; an empty cell is zeros. */
  | {
      readonly column: string;
      readonly kind: "VECTOR";
      readonly minimumCount: number;
      readonly separator: string;
      readonly width: number;
    };

export type SplitSpec =
  | {
      readonly kind: "COLUMN";
      readonly column: string;
      readonly train: string;
      readonly validation: string;
      readonly test: string;
    }
  | {
      readonly kind: "RANDOM";
      readonly seed: number;
      /** Shares of all rows, each in (0, 1), together below 1; the rest is the training split. */
      readonly validationShare: number;
      readonly testShare: number;
    }
  /** Rows before `validationFrom` train, those from `testFrom` on test: numbers or ISO dates or times (time.ts). */
  | { readonly kind: "TIME"; readonly column: string; readonly validationFrom: string; readonly testFrom: string };

export interface LabelSpec {
  readonly column: string;
  readonly task: string;
  /**
   * The task of another label: where that one is 0, this one is 0 as well, and its cell may hold 0, 1 or nothing. Absent: the
   * label is the column as it is.
   */
  readonly onlyWhere?: string;
}

export interface DatasetSpec {
  readonly fields: readonly FieldSpec[];
  readonly scenario: {
    readonly column: string;
    /** Which text in the column means which scenario; the order gives the scenario index 0..S-1. */
    readonly values: readonly { readonly value: string; readonly scenario: string }[];
  };
  /** One column of 0 and 1 per task; the order gives the task index 0..T-1. */
  readonly labels: readonly LabelSpec[];
  readonly split: SplitSpec;
  /** Rows of one value belong together, usually those of a user. May also be a field. */
  readonly group?: { readonly column: string };
  /** When a row happened, for the check that training does not see the future; nothing else reads it. */
  readonly time?: { readonly column: string };
  /** Id of the dataset whose ids the values get; a value it does not know is unknown. Absent: they are fitted. */
  readonly vocabularyOf?: string;
}

export const splits = ["train", "validation", "test"] as const;
export type Split = (typeof splits)[number];

/** One split in memory, ready for batches. Arrays are row-major. */
export interface SplitRows {
  readonly rows: number;
  /** Globally offset embedding ids [rows, ids]; one per field, unless the shape's layouts say otherwise. */
  readonly ids: Int32Array;
  /** Scenario index [rows]. */
  readonly scenario: Int32Array;
  /** 0 or 1 [rows, tasks]. */
  readonly labels: Float32Array;
  /** Plain numbers [rows, numbers], those of VALUE and VECTOR fields; of length 0 where there are none. */
  readonly numbers: Float32Array;
  /** Number of the row's group [rows], dense from 0 over all splits; absent without a group column. */
  readonly groups?: Int32Array;
}

/** Everything a training needs to know of a dataset besides its rows. */
export interface DatasetShape {
  readonly fields: number;
  /** Of the fields [fields]; absent in datasets from before they were kept. */
  readonly columns?: readonly string[];
  /** What a row holds for each field [fields]; absent: one id each. */
  readonly layouts?: readonly FieldLayout[];
  /** Rows of the embedding table: sum over fields of (kept values + 1), and what else they need (fieldTransform.ts). */
  readonly ids: number;
  /** Per field the id that stands for every value the training split did not keep [fields]; -1 where there is none. */
  readonly unknownIds: readonly number[];
  readonly scenarios: readonly string[];
  readonly tasks: readonly string[];
  /** Which tasks count only where another is 1, of whose labels theirs are parts [tasks]; absent: none. */
  readonly conditions?: TaskConditions;
}
