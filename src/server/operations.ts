/**
 * GraphQL for the transports that Apollo does not have: one request becomes one answer, or with a subscription a stream of
 * them. What is refused, and how it is said, is as over HTTP.
 */
import {
  execute,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from "graphql";
import type {
  DocumentNode,
  ExecutionArgs,
  ExecutionResult,
  FormattedExecutionResult,
  GraphQLFormattedError,
  GraphQLSchema,
} from "graphql";
import type { Asked, Context, Waiting } from "../context.ts";
import type { FormatError } from "../graphql/formatError.ts";
import { tokenLimit } from "./admission.ts";
import type { Admit } from "./admission.ts";
import { graphqlRefusal, Refusal } from "./refusal.ts";
import type { TrustedDocuments } from "./trustedDocuments.ts";
import type { Visit } from "./visitors.ts";
import { whileIn } from "./whileIn.ts";

/** As a client sends it, unchecked. */
export interface OperationRequest {
  readonly query?: unknown;
  /** Of a trusted document, instead of its text. */
  readonly documentId?: unknown;
  readonly extensions?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

export interface PreparedOperation extends ExecutionArgs {
  readonly visit: Visit;
}

export interface Operations {
  /** What `perform` takes, with a context of its own; or why the request is refused. `signal`: nobody waits any more. */
  prepare(request: OperationRequest, visit: Visit, signal: Waiting): PreparedOperation | readonly GraphQLError[];
  perform(args: PreparedOperation): Promise<ExecutionResult | AsyncGenerator<ExecutionResult, void, void>>;
  formatErrors(errors: readonly GraphQLError[]): readonly GraphQLFormattedError[];
  /** The answer as it is sent. */
  format(result: ExecutionResult): FormattedExecutionResult;
}

export interface OperationsOptions {
  readonly schema: GraphQLSchema;
  readonly createContext: (asked: Asked) => Context;
  readonly admit: Admit;
  readonly trusted: TrustedDocuments;
  /** Whether a client may ask what the schema is. */
  readonly introspection: boolean;
  readonly formatError: FormatError;
}

export function createOperations(options: OperationsOptions): Operations {
  const { schema, createContext, admit, trusted, introspection, formatError } = options;
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const formatErrors = (errors: readonly GraphQLError[]): readonly GraphQLFormattedError[] =>
    errors.map((error) => {
      const { http: _, ...extensions } = error.extensions;
      return formatError({ ...error.toJSON(), extensions }, error);
    });

  return {
    prepare(given, visit, signal) {
      const request = attempt(() => trusted.resolve(given));
      if (request instanceof Refusal) return [graphqlRefusal(request)];
      const { query, operationName, variables } = request;
      if (typeof query !== "string") return [refusal("BAD_REQUEST", "query: expected a text")];
      const name = operationName ?? undefined;
      if (name !== undefined && typeof name !== "string") {
        return [refusal("BAD_REQUEST", "operationName: expected a text")];
      }
      const values = variables ?? {};
      if (!isRecord(values)) return [refusal("BAD_REQUEST", "variables: expected an object")];

      const document = parsed(query);
      if (document instanceof GraphQLError) return [coded("GRAPHQL_PARSE_FAILED", document)];
      const invalid = validate(schema, document, rules);
      if (invalid.length > 0) return invalid.map((error) => coded("GRAPHQL_VALIDATION_FAILED", error));
      const operation = getOperationAST(document, name);
      if (!operation) {
        const message = "operationName: expected the name of one of the operations of the query";
        return [refusal("OPERATION_RESOLUTION_FAILURE", message)];
      }
      const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], values);
      if (errors) return errors.map((error) => coded("BAD_USER_INPUT", error));
      const { actor, requestId } = visit;
      const asked: Asked = { actor, requestId, signal };
      const admission = attempt(() => admit({ document, operation, variables: values }, asked));
      if (admission instanceof Refusal) return [graphqlRefusal(admission)];
      const contextValue = createContext(asked);
      return { schema, document, operationName: name, variableValues: values, contextValue, visit };
    },

    async perform({ visit, ...args }) {
      const isStream = getOperationAST(args.document, args.operationName)?.operation === "subscription";
      if (!isStream) return execute(args);
      const result = await subscribe(args);
      return "next" in result ? whileIn(result, visit.isStillIn) : result;
    },

    formatErrors,

    format: ({ errors, ...rest }) => (errors ? { ...rest, errors: formatErrors(errors) } : rest),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What it gives, or the Refusal it throws. */
function attempt<T>(act: () => T): T | Refusal {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function parsed(query: string): DocumentNode | GraphQLError {
  try {
    return parse(query, { maxTokens: tokenLimit });
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
