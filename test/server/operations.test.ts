import { buildSchema } from "graphql";
import type { ExecutionResult, GraphQLSchema } from "graphql";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/context.ts";
import { formatErrors } from "../../src/graphql/formatError.ts";
import { createOperations } from "../../src/server/operations.ts";
import type { Visit } from "../../src/server/visitors.ts";

const visit: Visit = {
  actor: { id: "", name: "anybody", role: "ADMIN" },
  requestId: "r",
  isStillIn: () => Promise.resolve(true),
};

/** A schema whose one subscription gives what `source` does. */
function schemaOver(source: () => AsyncIterable<unknown>): GraphQLSchema {
  const schema = buildSchema("type Query { a: Int } type Subscription { b: Int! }");
  const field = schema.getSubscriptionType()!.getFields()["b"]!;
  field.subscribe = source;
  field.resolve = (value) => value;
  return schema;
}

async function answers(source: () => AsyncIterable<unknown>) {
  const reported: string[] = [];
  const operations = createOperations({
    schema: schemaOver(source),
    createContext: () => ({}) as Context,
    trusted: { resolve: (request) => request, resolveSearch: (search) => search },
    introspection: true,
    admit: () => ({ cost: { requested: 1, limit: 1 }, headers: {} }),
    formatError: formatErrors(({ error }) => reported.push((error as Error).message)),
  });
  const args = operations.prepare({ query: "subscription { b }" }, visit, new AbortController().signal);
  if (!("schema" in args)) throw new Error("expected it to be accepted");
  const result = await operations.perform(args);
  const all: ExecutionResult[] = [];
  if (!("next" in result)) all.push(result);
  else for await (const answer of result) all.push(answer);
  return { answers: all.map(operations.format), reported };
}

describe("an operation", () => {
  it("of a subscription gives an answer for each event", async () => {
    async function* source() {
      yield* [1, 2];
    }
    expect(await answers(source)).toEqual({ answers: [{ data: { b: 1 } }, { data: { b: 2 } }], reported: [] });
  });

  it("masks a fault of ours, at the beginning and in the middle, and reports it", async () => {
    const masked = [{ errors: [{ message: expect.stringMatching(/^Something went wrong on our side/) }] }];
    const failing = () => {
      throw new Error("secret");
    };
    expect(await answers(failing)).toMatchObject({ answers: masked, reported: ["secret"] });
    async function* source() {
      yield "a word";
    }
    const { answers: given, reported } = await answers(source);
    expect(given).toMatchObject(masked);
    expect(reported).toEqual(['Int cannot represent non-integer value: "a word"']);
  });
});
