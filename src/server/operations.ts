/**
 * GraphQL for the transports that Apollo does not have: one request becomes one answer, or with a subscription a stream of
 * them. What is refused, and how it is said, is as over HTTP.
 */
import { execute, getOperationAST, getVariableValues, GraphQLError, parse, subscribe, validate } from "graphql";
import type {
  DocumentNode,
  ExecutionArgs,
  ExecutionResult,
  FormattedExecutionResult,
  GraphQLFormattedError,
  GraphQLSchema,
} from "graphql";
import type { Context } from "../context.ts";

/** As a client sends it, unchecked. */
export interface OperationRequest {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

export interface Operations {
  /** What `perform` takes, with a context of its own; or why the request is refused. */
  prepare(request: OperationRequest): ExecutionArgs | readonly GraphQLError[];
  perform(args: ExecutionArgs): Promise<ExecutionResult | AsyncGenerator<ExecutionResult, void, void>>;
  formatErrors(errors: readonly GraphQLError[]): readonly GraphQLFormattedError[];
  /** The answer as it is sent. */
  format(result: ExecutionResult): FormattedExecutionResult;
}

export interface OperationsOptions {
  readonly schema: GraphQLSchema;
  readonly createContext: () => Context;
  readonly formatError: (formatted: GraphQLFormattedError, thrown: unknown) => GraphQLFormattedError;
}

export function createOperations({ schema, createContext, formatError }: OperationsOptions): Operations {
  const formatErrors = (errors: readonly GraphQLError[]): readonly GraphQLFormattedError[] =>
    errors.map((error) => formatError(error.toJSON(), error));

  return {
    prepare({ query, operationName, variables }) {
      if (typeof query !== "string") return [refusal("BAD_REQUEST", "query: expected a text")];
      const name = operationName ?? undefined;
      if (name !== undefined && typeof name !== "string") {
        return [refusal("BAD_REQUEST", "operationName: expected a text")];
      }
      const values = variables ?? {};
      if (!isRecord(values)) return [refusal("BAD_REQUEST", "variables: expected an object")];

      const document = parsed(query);
      if (document instanceof GraphQLError) return [coded("GRAPHQL_PARSE_FAILED", document)];
      const invalid = validate(schema, document);
      if (invalid.length > 0) return invalid.map((error) => coded("GRAPHQL_VALIDATION_FAILED", error));
      const operation = getOperationAST(document, name);
      if (!operation) {
        const message = "operationName: expected the name of one of the operations of the query";
        return [refusal("OPERATION_RESOLUTION_FAILURE", message)];
      }
      const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], values);
      if (errors) return errors.map((error) => coded("BAD_USER_INPUT", error));
      return { schema, document, operationName: name, variableValues: values, contextValue: createContext() };
    },

    async perform(args) {
      const isStream = getOperationAST(args.document, args.operationName)?.operation === "subscription";
      return isStream ? subscribe(args) : execute(args);
    },

    formatErrors,

    format: ({ errors, ...rest }) => (errors ? { ...rest, errors: formatErrors(errors) } : rest),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(query: string): DocumentNode | GraphQLError {
  try {
    return parse(query);
  } catch (error) {
    return error as GraphQLError;
  }
}

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

function coded(code: string, error: GraphQLError): GraphQLError {
  error.extensions["code"] = code;
  return error;
}
