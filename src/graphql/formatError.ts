/** The one place where an error becomes part of an answer: expected ones as they are, faults of ours under an id. */
import { randomUUID } from "node:crypto";
import type { GraphQLFormattedError } from "graphql";
import { ProductError } from "../errors.ts";

/** Codes by which GraphQL itself refuses a request; such an error tells nothing of our inside. */
const requestCodes = new Set<unknown>([
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "BAD_USER_INPUT",
  "BAD_REQUEST",
  "INVALID_INPUT",
  "OPERATION_RESOLUTION_FAILURE",
  "PERSISTED_QUERY_NOT_FOUND",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "RATE_LIMITED",
  "TOO_COMPLEX",
  "TIMEOUT",
  "DOCUMENT_NOT_TRUSTED",
  // A page out of its range.
  "INVALID_INPUT",
  "PERSISTED_QUERY_NOT_SUPPORTED",
]);

/** What GraphQL says, without a code, of more wrong variables than it tells of. */
const tooManyWrong = "Too many errors processing variables";

export interface Fault {
  readonly error: unknown;
  /** Under which the client was told of it. */
  readonly errorId?: string;
  readonly requestId?: string | undefined;
}

export type ReportFault = (fault: Fault) => void;

export type FormatError = (
  formatted: GraphQLFormattedError,
  thrown: unknown,
  requestId?: string,
) => GraphQLFormattedError;

/** A formatter for Apollo; `report` gets every error that is masked. */
export function formatErrors(report: ReportFault): FormatError {
  return (formatted, thrown, requestId) => {
    // What a resolver threw is inside the error GraphQL made of it.
    const error = (thrown as { originalError?: unknown }).originalError ?? thrown;
    if (error instanceof ProductError) {
      return { ...formatted, message: error.message, extensions: { code: error.code, ...error.detail } };
    }
    if (requestCodes.has(formatted.extensions?.["code"])) return formatted;
    if (error === thrown && formatted.message.startsWith(tooManyWrong)) {
      return { ...formatted, extensions: { code: "BAD_USER_INPUT" } };
    }
    const errorId = randomUUID();
    report({ errorId, error, requestId });
    return {
      ...formatted,
      message: `Something went wrong on our side; the log has it under ${errorId}.`,
      extensions: { code: "INTERNAL", errorId },
    };
  };
}
