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
  "OPERATION_RESOLUTION_FAILURE",
  "PERSISTED_QUERY_NOT_FOUND",
  "PERSISTED_QUERY_NOT_SUPPORTED",
]);

export type ReportFault = (fault: { readonly errorId: string; readonly error: unknown }) => void;

/** A formatter for Apollo; `report` gets every error that is masked. */
export function formatErrors(report: ReportFault) {
  return (formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError => {
    // What a resolver threw is inside the error GraphQL made of it.
    const error = (thrown as { originalError?: unknown }).originalError ?? thrown;
    if (error instanceof ProductError) {
      return { ...formatted, message: error.message, extensions: { code: error.code, ...error.detail } };
    }
    if (requestCodes.has(formatted.extensions?.["code"])) return formatted;
    const errorId = randomUUID();
    report({ errorId, error });
    return {
      ...formatted,
      message: `Something went wrong on our side; the log has it under ${errorId}.`,
      extensions: { code: "INTERNAL", errorId },
    };
  };
}
