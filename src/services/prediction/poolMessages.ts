/** What the pool of prediction threads and its threads say to each other: plain data that can be sent. */
import type { ErrorCode, ErrorDetail } from "../../errors.ts";
import type { TaskConditions } from "../../taskConditions.ts";

export interface StoredFile {
  readonly path: string;
  readonly sha256: string;
}

/** All that a thread needs to answer with a model. */
export interface ModelFiles {
  readonly transform: StoredFile;
  readonly checkpoint: StoredFile;
  /** Name of the backbone. */
  readonly backbone: string;
}

/** What is known of a model that is loaded. */
export interface ModelFacts {
  /** Keys, in the order of the scenario indices; of a model of one cell that one. */
  readonly scenarios: readonly string[];
  /** Keys, in the order of the probabilities. */
  readonly tasks: readonly string[];
  /** Which of them count only where another is 1; absent: none. */
  readonly conditions?: TaskConditions;
  /** Columns of the fields, in the order of the ids. */
  readonly columns: readonly string[];
}

export interface RawRequest {
  readonly rows: readonly { readonly scenario: string; readonly values: unknown }[];
  /** FAIL: the first row that cannot be used is the answer. SKIP: the others are answered. */
  readonly onRowError: "FAIL" | "SKIP";
}

/** An error on its way between threads; without a code it is a fault of ours. */
export interface SentError {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** A row that was passed over. */
export interface RowFault extends SentError {
  /** Its place in the request, from 0. */
  readonly row: number;
}

/** The part of one request in a batch. */
export interface EncodedRequest {
  /** Its first row among the rows of the batch, and how many it has there. */
  readonly start: number;
  readonly rows: number;
  /** By the place of the row in the request, ascending. */
  readonly faults: readonly RowFault[];
  /** Columns in which some row has a value that training did not keep, with the number of such rows. */
  readonly unknown: readonly { readonly column: string; readonly rows: number }[];
}

export type PoolOrder =
  | { readonly kind: "LOAD"; readonly key: string; readonly files: ModelFiles }
  | {
      readonly kind: "RUN";
      readonly key: string;
      readonly explain: boolean;
      readonly requests: readonly RawRequest[];
    }
  | { readonly kind: "RELEASE"; readonly key: string };

export interface BatchArrays {
  /** [rows, tasks] */
  readonly probabilities: Float32Array;
  /** [rows, ids] */
  readonly ids: Int32Array;
  /** [rows, numbers] */
  readonly numbers: Float32Array;
  /** [rows] */
  readonly scenario: Int32Array;
  /** Only where it was asked to explain, and the head is AUTOIFS: full and the four flows [rows, tasks, 5]. */
  readonly partialLogits?: Float32Array;
  /** The same: the applied gates [rows, tasks, 4]. */
  readonly gates?: Float32Array;
}

export type PoolReport =
  | { readonly kind: "LOADED"; readonly key: string; readonly facts: ModelFacts; readonly bytes: number }
  | { readonly kind: "NOT_LOADED"; readonly key: string; readonly error: SentError }
  /** Answers the RUN that was ordered last: there is one at a time. `bytes`: what the model holds now. */
  | ({
      readonly kind: "RAN";
      readonly parts: readonly (EncodedRequest | { readonly error: SentError })[];
      readonly bytes: number;
    } & BatchArrays)
  | { readonly kind: "NOT_RAN"; readonly error: SentError };

/** Places of the rows of a request that were not passed over, ascending. */
export function answeredIndices(rows: number, faults: readonly RowFault[]): number[] {
  const indices = Array.from({ length: rows }, (_, index) => index);
  if (faults.length === 0) return indices;
  const faulty = new Set(faults.map(({ row }) => row));
  return indices.filter((index) => !faulty.has(index));
}
