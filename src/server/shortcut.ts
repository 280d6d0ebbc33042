/**
 * The short way for documents that Apollo has found to be valid before: tools send the same few over and over. What is at all
 * unusual (another content type, a GET, a refusal, wrong variables) goes the long way, through Apollo, which knows how to say
 * it. Both ways give the same bytes.
 */
import { execute, getOperationAST } from "graphql";
import type { DocumentNode, ExecutionResult, GraphQLFormattedError, GraphQLSchema } from "graphql";
import type { Context } from "../context.ts";
import type { FormatError } from "../graphql/formatError.ts";
import type { Operation } from "./admission.ts";
import type { Remarks } from "./apollo.ts";
import { Refusal } from "./refusal.ts";

export interface ShortcutOptions {
  readonly schema: GraphQLSchema;
  readonly formatError: FormatError;
  admit(operation: Operation, context: Context): Remarks;
}

export interface ShortAnswer {
  readonly json: string;
  readonly errorCodes: readonly string[];
}

export interface Shortcut {
  /** From now on the text need not be parsed and validated. */
  learn(text: string, document: DocumentNode): void;
  /** Undefined where the long way has to be gone; nothing has been done then. */
  answer(accept: string | undefined, body: unknown, context: Context): Promise<ShortAnswer | undefined>;
}

/** Characters of all texts that are remembered; a longer one is not. */
const mostRemembered = 4_000_000;
const longestText = 100_000;
/** What clients say that do not care, or want JSON; they get `application/json`. */
const accepted: readonly (string | undefined)[] = [undefined, "*/*", "application/json"];

export function createShortcut({ schema, formatError, admit }: ShortcutOptions): Shortcut {
  const known = new Map<string, DocumentNode>();
  let remembered = 0;

  const operationOf = (body: unknown): Operation | undefined => {
    const { query, operationName, variables, extensions } = (body ?? {}) as Readonly<Record<string, unknown>>;
    const document = typeof query === "string" ? known.get(query) : undefined;
    if (!document || !isAbsent(operationName, "string") || !isAbsent(variables, "object")) return undefined;
    if (!isAbsent(extensions, "object") || Array.isArray(variables) || Array.isArray(extensions)) return undefined;
    const operation = getOperationAST(document, operationName as string | null | undefined);
    if (!operation || operation.operation === "subscription") return undefined;
    return { document, operation, variables: (variables ?? {}) as Operation["variables"] };
  };

  const admitted = (operation: Operation, context: Context): Remarks | undefined => {
    try {
      return admit(operation, context);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  };

  const formatted = (errors: NonNullable<ExecutionResult["errors"]>, requestId: string): GraphQLFormattedError[] =>
    errors.map((error) => formatError(error.toJSON(), error, requestId));

  return {
    learn(text, document) {
      if (text.length > longestText || known.has(text)) return;
      if (remembered + text.length > mostRemembered) {
        known.clear();
        remembered = 0;
      }
      known.set(text, document);
      remembered += text.length;
    },

    async answer(accept, body, context) {
      const operation = accepted.includes(accept) ? operationOf(body) : undefined;
      const remarks = operation && admitted(operation, context);
      if (!operation || !remarks) return undefined;
      const { document, variables: variableValues } = operation;
      const operationName = operation.operation.name?.value;
      const result = await execute({ schema, document, operationName, variableValues, contextValue: context });
      // Without data nothing was executed: the variables are wrong.
      if (result.data === undefined) return undefined;
      const errors = result.errors && formatted(result.errors, context.requestId);
      const json = JSON.stringify({
        ...(errors ? { errors } : {}),
        data: result.data,
        extensions: { cost: remarks.cost },
      });
      return { json: `${json}\n`, errorCodes: errors?.map(({ extensions }) => String(extensions?.["code"])) ?? [] };
    },
  };
}

function isAbsent(value: unknown, unless: "string" | "object"): boolean {
  return value === undefined || value === null || typeof value === unless;
}
