/** Who wants to know of the rows that versions of models have answered. */
import type { ModelVersion, Run } from "../../store/rows.ts";
import type { ModelFacts } from "./poolMessages.ts";

export interface ServedBatch {
  readonly version: ModelVersion;
  /** Of the version. */
  readonly run: Run;
  /** What the indices below mean. */
  readonly facts: ModelFacts;
  readonly rows: number;
  /** Global ids [rows, ids]. The arrays are parts of larger ones: nobody keeps them. */
  readonly ids: Int32Array;
  /** [rows, numbers] */
  readonly numbers: Float32Array;
  /** Index among the scenarios of the model [rows]. */
  readonly scenario: Int32Array;
  /** [rows, tasks] */
  readonly probabilities: Float32Array;
  readonly taskKeys: readonly string[];
  /** The senders' names of the rows [rows], null for one without; absent where none has one. */
  readonly rowIds?: readonly (string | null)[];
}

export interface ServedObserver {
  /**
   * Called before the answer leaves. What it promises is waited for only where rows have names; the request fails with it then.
   */
  served(batch: ServedBatch): void | Promise<void>;
}
