/**
 * What all mutations have in common at the edge: what a resolver throws becomes `userErrors` where they are asked for, an
 * idempotency key is taken out of the input, and everything is noted (src/services/mutation).
 */
import { getNamedType, isObjectType } from "graphql";
import type { GraphQLFieldResolver, GraphQLResolveInfo } from "graphql";
import type { Context } from "../context.ts";
import { ConflictError, ProductError } from "../errors.ts";
import { asksFor } from "./asksFor.ts";
import type { MutationResolvers, UserError, UserErrorCode } from "./generated.ts";
import { loadNode, typeOfId } from "./node.ts";

type Arguments = Readonly<Record<string, unknown>> & { readonly input: Readonly<Record<string, unknown>> };
type Resolve = GraphQLFieldResolver<unknown, Context, Arguments, Promise<object>>;

const codes: readonly string[] = ["INVALID_INPUT", "NOT_FOUND", "CONFLICT", "UNAVAILABLE"] satisfies UserErrorCode[];

export function guarded(mutations: MutationResolvers): MutationResolvers {
  const guard = (resolve: Resolve): Resolve => {
    return async (parent, args, context, info) => {
      const { idempotencyKey = null, ...input } = args.input;
      try {
        const payload = await context.services.performMutation({
          actor: context.actor,
          requestId: context.requestId,
          operation: info.fieldName,
          input,
          idempotencyKey: idempotencyKey as string | null,
          work: () => resolve(parent, { ...args, input }, context, info),
          recall: (subjectId) => recalled(subjectId, context, info),
        });
        return { ...payload, userErrors: [] };
      } catch (error) {
        const isExpected = error instanceof ProductError && codes.includes(error.code);
        if (isExpected && asksFor(info, ["userErrors"])) return { userErrors: [userErrorOf(error)] };
        throw error;
      }
    };
  };
  return Object.fromEntries(Object.entries(mutations).map(([name, resolve]) => [name, guard(resolve as Resolve)]));
}

/** The payload of a mutation that has made `id` before: the member that holds such a thing, as it is now. */
async function recalled(id: string, { loaders }: Context, { returnType }: GraphQLResolveInfo): Promise<object> {
  const payload = getNamedType(returnType);
  if (!isObjectType(payload)) throw new Error(`${returnType}: expected an object`);
  const fields = payload.getFields();
  const member = Object.values(fields).find(({ type }) => getNamedType(type).name === typeOfId(id));
  if (!member) throw new Error(`${payload}: expected a member that holds ${id}`);
  const row = await loadNode(id, loaders);
  if (row === null) throw isPurged(id);
  return { [member.name]: row, ...("created" in fields ? { created: true } : {}) };
}

function isPurged(id: string): ConflictError {
  const [field, expected] = ["input.idempotencyKey", "the key of something that is there"];
  return new ConflictError(`${field}: expected ${expected}, but what was made with it, ${id}, has been purged`, {
    field,
    expected,
    received: id,
    hint: "make a new key for every new request",
  });
}

function userErrorOf({ code, message, detail: { field, expected, received, hint, line } }: ProductError): UserError {
  return {
    code: code as UserErrorCode,
    message,
    field: field ?? null,
    expected: expected ?? null,
    received: received ?? null,
    hint: hint ?? null,
    line: line ?? null,
  };
}
