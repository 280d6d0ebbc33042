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

/** Operations on a schema, and the faults they report. */
function operationsOn(schema: GraphQLSchema, timeLimitSeconds = 60) {
  const reported: string[] = [];
  const operations = createOperations({
    schema,
    createContext: (asked) => ({ ...asked }) as Context,
    trusted: { resolve: (request) => request, resolveSearch: (search) => search },
    introspection: true,
    timeLimitSeconds,
    admit: () => ({ cost: { requested: 1, limit: 1 }, headers: {} }),
    formatError: formatErrors(({ error }) => reported.push((error as Error).message)),
  });
  return { operations, reported };
}

/** A schema whose one query never ends, and who asked it. */
function endlessSchema() {
  const begun: Context[] = [];
  const schema = buildSchema("type Query { a(ids: [Int!]): Int }");
  schema.getQueryType()!.getFields()["a"]!.resolve = (_, __, context: Context) => {
    begun.push(context);
    return new Promise(() => undefined);
  };
  return { schema, begun };
}

/** A schema whose one subscription gives what `source` does. */
function schemaOver(source: () => AsyncIterable<unknown>): GraphQLSchema {
  const schema = buildSchema("type Query { a: Int } type Subscription { b: Int! }");
  const field = schema.getSubscriptionType()!.getFields()["b"]!;
  field.subscribe = source;
  field.resolve = (value) => value;
  return schema;
}

async function answers(source: () => AsyncIterable<unknown>) {
  const { operations, reported } = operationsOn(schemaOver(source));
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

describe("the answer to a query", () => {
  const answer = async (timeLimitSeconds: number, left: AbortSignal, schema: GraphQLSchema) => {
    const { operations, reported } = operationsOn(schema, timeLimitSeconds);
    const args = operations.prepare({ query: "{ a }" }, visit, left);
    if (!("schema" in args)) throw new Error("expected it to be accepted");
    const result = await operations.perform(args);
    return { answer: "next" in result ? result : operations.format(result), reported };
  };

  it("is waited for as long as the time limit says; what was begun reads nothing more", async () => {
    const { schema, begun } = endlessSchema();
    const message = "expected an answer within 0.05 seconds; what was begun may still be done";
    expect(await answer(0.05, new AbortController().signal, schema)).toEqual({
      answer: { errors: [{ message, extensions: { code: "TIMEOUT" } }] },
      reported: [],
    });
    expect(() => begun[0]!.signal.throwIfAborted()).toThrow(message);
  });

  it("is not waited for when the client has left, and not begun where it had left before", async () => {
    const left = new AbortController();
    const { schema, begun } = endlessSchema();
    const late = answer(60, left.signal, schema);
    left.abort();
    expect(await late).toMatchObject({ answer: { errors: [{ message: "the client has left" }] }, reported: [] });
    expect(() => begun[0]!.signal.throwIfAborted()).toThrow("the client has left");
    expect(await answer(60, left.signal, schema)).toMatchObject({ answer: { errors: [{}] }, reported: [] });
    expect(begun).toHaveLength(1);
  });

  it("tells of no more than 50 values that are wrong", () => {
    const { operations } = operationsOn(endlessSchema().schema);
    const request = { query: "query ($ids: [Int!]) { a(ids: $ids) }", variables: { ids: Array(1000).fill(null) } };
    const refused = operations.prepare(request, visit, new AbortController().signal);
    expect(refused).toHaveLength(51);
  });
});
