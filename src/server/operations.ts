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
import type { Asked, Context } from "../context.ts";
import type { FormatError } from "../graphql/formatError.ts";
import { tokenLimit } from "./admission.ts";
import type { Admit } from "./admission.ts";
import { Patience } from "./patience.ts";
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
  readonly left: AbortSignal;
  /** Absent for a subscription, which lasts as long as it is followed. */
  readonly patience?: Patience;
}

export interface Operations {
  /** What `perform` takes, with a context of its own; or why the request is refused. `left`: nobody waits any more. */
  prepare(request: OperationRequest, visit: Visit, left: AbortSignal): PreparedOperation | readonly GraphQLError[];
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
  /** For the answer to a query or a mutation. */
  readonly timeLimitSeconds: number;
  readonly formatError: FormatError;
}

/** Of variables that are wrong so many are told of; what GraphQL does by itself when it executes. */
const mostErrors = 50;

export function createOperations(options: OperationsOptions): Operations {
  const { schema, createContext, admit, trusted, introspection, timeLimitSeconds, formatError } = options;
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const formatErrors = (errors: readonly GraphQLError[]): readonly GraphQLFormattedError[] =>
    errors.map((error) => {
      const { http: _, ...extensions } = error.extensions;
      return formatError({ ...error.toJSON(), extensions }, error);
    });

  const answerOf = async (args: ExecutionArgs, patience: Patience, left: AbortSignal): Promise<ExecutionResult> => {
    const leave = (): void => patience.leave();
    left.addEventListener("abort", leave, { once: true });
    if (left.aborted) leave();
    try {
      return await patience.within(timeLimitSeconds, async () => execute(args));
    } catch (error) {
      if (error instanceof Refusal) return { errors: [graphqlRefusal(error)] };
      throw error;
    } finally {
      left.removeEventListener("abort", leave);
    }
  };

  return {
    prepare(given, visit, left) {
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
      const { actor, requestId } = visit;
      const patience = operation.operation === "subscription" ? undefined : new Patience();
      const asked: Asked = { actor, requestId, signal: patience ?? left };
      const admission = attempt(() => admit({ document, operation, variables: values }, asked));
      if (admission instanceof Refusal) return [graphqlRefusal(admission)];
      // Not before it is admitted: with variables that are too deep GraphQL runs out of stack.
      const definitions = operation.variableDefinitions ?? [];
      const { errors } = getVariableValues(schema, definitions, values, { maxErrors: mostErrors });
      if (errors) return errors.map((error) => coded("BAD_USER_INPUT", error));
      const contextValue = createContext(asked);
      const args = { schema, document, operationName: name, variableValues: values, contextValue, visit, left };
      return patience ? { ...args, patience } : args;
    },

    async perform({ visit, left, patience, ...args }) {
      if (patience) return answerOf(args, patience, left);
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
    // Else it is too deep for the parser's stack.
    return error instanceof GraphQLError ? error : new GraphQLError((error as Error).message);
  }
}

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

function coded(code: string, error: GraphQLError): GraphQLError {
  error.extensions["code"] = code;
  return error;
}
