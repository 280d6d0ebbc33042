/** The errors a caller can react to. Each has a code; everything else is a fault of ours, logged and masked at the edge. */

export type ErrorCode =
  "INVALID_INPUT" | "NOT_FOUND" | "CONFLICT" | "UNAVAILABLE" | "DIVERGED" | "PRUNE_REFUSED" | "PLUGIN_FAILED";

export interface ErrorDetail {
  /** Path to the input field, for example `input.fields[2].column`. */
  readonly field?: string;
  readonly expected?: string;
  readonly received?: string;
  readonly hint?: string;
  /** Of a faulty file: counts from 1, the header is line 1; in a Parquet file the row. `field` is then the column. */
  readonly line?: number;
  /** What differs between two things that should be alike. */
  readonly differences?: readonly { readonly part: string; readonly baseline: string; readonly candidate: string }[];
}

/** Base of the expected errors: safe to show to the caller as it is. */
export class ProductError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.detail = detail;
  }
}

/** The caller sent something that cannot be used; nothing has changed. */
export class InvalidInputError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super("INVALID_INPUT", message, detail, cause);
  }
}

export class NotFoundError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}) {
    super("NOT_FOUND", message, detail);
  }
}

/** The thing exists but its state does not allow the request. */
export class ConflictError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}) {
    super("CONFLICT", message, detail);
  }
}

/** Something this installation lacks, for example an engine that is not installed. */
export class UnavailableError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}) {
    super("UNAVAILABLE", message, detail);
  }
}

/** A training whose numbers are not finite any more: the data and the settings do not go together. */
export class DivergedError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}) {
    super("DIVERGED", message, detail);
  }
}

/** A pruned model that loses more in a cell than it was allowed to: it is not kept. */
export class PruneRefusedError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}) {
    super("PRUNE_REFUSED", message, detail);
  }
}

/** A plugin that does not what a backbone must do. The message names it, what it was at, and its file and line where they are known. */
export class PluginError extends ProductError {
  constructor(message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super("PLUGIN_FAILED", message, detail, cause);
  }
}
