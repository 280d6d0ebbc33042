/**
 * Requests that a careless or hostile client might send, drawn from a seed: valid and broken queries, mutations with random
 * inputs, huge and strange strings, deep nesting, wrong types, bodies that are cut off. For `bench -- fuzz` and its test.
 */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isAbstractType,
} from "graphql";
import type { GraphQLArgument, GraphQLField, GraphQLInputType, GraphQLObjectType, GraphQLSchema } from "graphql";
import { createRandom } from "../src/random.ts";

export interface FuzzRequest {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | null;
  /** True where the body ends before the length its header names. */
  readonly cutOff: boolean;
  /** True where it asks for one mutation, so that a refusal must have changed nothing. */
  readonly mutates: boolean;
}

export interface FuzzSource {
  next(): FuzzRequest;
  /** Words that may be used from now on: ids and keys that an answer held. */
  learn(words: readonly string[]): void;
}

const json = { "content-type": "application/json" };
const strange = [
  "",
  " ",
  "\u0000",
  "null",
  "__proto__",
  "constructor",
  "toString",
  '\'; DROP TABLE "ModelRun"; --',
  "../../../../etc/passwd",
  "/etc/passwd",
  "a/../../b.csv",
  "%2e%2e%2f",
  "\u202eabc",
  "\ud800",
  "💥".repeat(50),
  "${7*7}{{7*7}}",
  "<script>alert(1)</script>",
  "-1",
  "1e999",
  "9007199254740993",
  "2026-02-30T99:00:00Z",
  "bmFtZTpuYW1l",
  "run_" + "0".repeat(32),
  "ds_" + "f".repeat(32),
];
const numbers = [0, 1, 2, 10, 100, -1, 101, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 0.5, 1e308, -0.000001];
const deepestSelection = 5;

export function createFuzzSource(schema: GraphQLSchema, seed: number, words: readonly string[]): FuzzSource {
  const { uniform: random } = createRandom(seed, "fuzz");
  const pool = [...words];
  const below = (count: number): number => Math.floor(random() * count);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

  const text = (): string => {
    if (chance(0.5)) return pick(pool);
    if (chance(0.02)) return pick(["a", "ä", "\\", '"']).repeat(1 + below(200_000));
    return pick(strange);
  };
  const anyJson = (depth: number): unknown => {
    if (depth > 0 && chance(0.4)) return Array.from({ length: below(4) }, () => anyJson(depth - 1));
    if (depth > 0 && chance(0.4))
      return Object.fromEntries([
        [text(), anyJson(depth - 1)],
        ["a", anyJson(depth - 1)],
      ]);
    return pick([text(), pick(numbers), true, null]);
  };

  /** Mostly of the type; with `wrong` now and then something else. */
  const value = (type: GraphQLInputType, wrong: number, depth = 0): unknown => {
    if (chance(wrong)) return anyJson(2);
    if (isNonNullType(type)) return value(type.ofType, wrong, depth);
    if (isListType(type))
      return Array.from({ length: below(3) + (depth === 0 && chance(0.01) ? 2000 : 0) }, () =>
        value(type.ofType, wrong, depth),
      );
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const given = fields.filter((field) => isRequired(field) || chance(0.4 / (1 + depth)));
      return Object.fromEntries(given.map((field) => [field.name, value(field.type, wrong, depth + 1)]));
    }
    if (isEnumType(type)) return pick(type.getValues()).name;
    const { name } = getNamedType(type);
    if (name === "Boolean") return chance(0.5);
    if (name === "Int") return Math.trunc(pick(numbers));
    if (name === "Float") return pick(numbers);
    if (name === "JSON") return anyJson(3);
    if (name === "DateTime") return chance(0.7) ? new Date(1.7e12 + random() * 1e11).toISOString() : text();
    return text();
  };

  /** The field with some of its arguments, as variables, and a random selection below it. */
  const field = (
    one: GraphQLField<unknown, unknown>,
    variables: Map<string, [string, unknown]>,
    depth: number,
    wrong: number,
  ): string => {
    const given = one.args.filter((argument) => isRequired(argument) || chance(0.3));
    const args = given.map((argument) => {
      const name = `v${variables.size}`;
      variables.set(name, [String(argument.type), value(argument.type, wrong)]);
      return `${argument.name}: $${name}`;
    });
    const type = getNamedType(one.type);
    const below = isLeafType(type) ? "" : ` { ${selections(type as GraphQLObjectType, variables, depth - 1, wrong)} }`;
    return `${one.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${below}`;
  };

  const selections = (
    type: GraphQLObjectType,
    variables: Map<string, [string, unknown]>,
    depth: number,
    wrong: number,
  ): string => {
    if (isAbstractType(type)) {
      const inside = pick(schema.getPossibleTypes(type));
      return `__typename ... on ${inside.name} { ${selections(inside, variables, depth, wrong)} }`;
    }
    const fields = Object.values(type.getFields()).filter((one) => depth > 0 || isLeafType(getNamedType(one.type)));
    const chosen = fields.filter(() => chance(3 / Math.max(3, fields.length)));
    // One name with two sets of arguments would not be valid.
    return [
      "__typename",
      ...chosen.map((one, index) => `f${depth}_${index}: ${field(one, variables, depth, wrong)}`),
    ].join(" ");
  };

  const operation = (
    kind: "query" | "mutation" | "subscription",
    wrong: number,
  ): { query: string; variables: object } => {
    const root =
      kind === "query"
        ? schema.getQueryType()
        : kind === "mutation"
          ? schema.getMutationType()
          : schema.getSubscriptionType();
    const variables = new Map<string, [string, unknown]>();
    const one = pick(Object.values(root!.getFields()));
    const asked = field(one, variables, deepestSelection, wrong);
    // Half of them want to hear of refusals in the payload.
    const errors =
      kind === "mutation" && chance(0.5) ? asked.replace(/\{/, "{ userErrors { code field message }") : asked;
    const declared = [...variables].map(([name, [type]]) => `$${name}: ${type}`).join(", ");
    return {
      query: `${kind} ${declared ? `(${declared}) ` : ""}{ ${errors} }`,
      variables: Object.fromEntries([...variables].map(([name, [, given]]) => [name, given])),
    };
  };

  /** The same text with some of it taken out, doubled or replaced. */
  const broken = (whole: string): string => {
    let result = whole;
    for (let i = 0; i <= below(4); i++) {
      const start = below(result.length);
      const end = start + below(8);
      const instead = pick([
        "",
        "{",
        "}",
        "(",
        "$",
        "...",
        "@",
        '"',
        '"""',
        "\u0000",
        result.slice(start, end).repeat(2),
        text().slice(0, 50),
      ]);
      result = result.slice(0, start) + instead + result.slice(end);
    }
    return result;
  };

  const post = (kind: string, body: string | Buffer, rest: Partial<FuzzRequest> = {}): FuzzRequest => ({
    kind,
    method: "POST",
    path: "/graphql",
    headers: json,
    body,
    cutOff: false,
    mutates: false,
    ...rest,
  });
  const deep = (): FuzzRequest => {
    const depth = pick([30, 300, 3000]);
    const queries = [
      `{ ${"a { ".repeat(depth)}b${" }".repeat(depth)} }`,
      `{ node(id: ${"[".repeat(depth)}1${"]".repeat(depth)}) { id } }`,
      `{ ${"... { ".repeat(depth)}__typename${" }".repeat(depth)} }`,
      `query ($a: ${"[".repeat(depth)}Int${"]".repeat(depth)}) { __typename }`,
      `{ ${Array.from({ length: depth }, (_, i) => `a${i}: __typename`).join(" ")} }`,
      `{ ${"__typename ".repeat(depth)} }`,
      `{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }`,
    ];
    if (chance(0.3))
      return post(
        "deep variables",
        `{"query":"{ __typename }","variables":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}`,
      );
    return post("deep query", JSON.stringify({ query: pick(queries) }));
  };
  const odd = (): FuzzRequest => {
    const whole = JSON.stringify(operation("query", 0));
    const requests: (() => FuzzRequest)[] = [
      () =>
        post("cut off", whole, { headers: { ...json, "content-length": String(whole.length + 100) }, cutOff: true }),
      () => post("no JSON", broken(whole)),
      () =>
        post("other type", whole, {
          headers: { "content-type": pick(["text/plain", "", "multipart/form-data", "application/graphql"]) },
        }),
      () => post("no object", JSON.stringify(anyJson(3))),
      () =>
        post(
          "odd members",
          JSON.stringify({
            query: anyJson(1),
            variables: anyJson(2),
            operationName: anyJson(1),
            extensions: anyJson(2),
          }),
        ),
      () => post("bytes", Buffer.from(Array.from({ length: 1 + below(500) }, () => below(256)))),
      () =>
        post("odd accept", whole, {
          headers: { ...json, accept: pick(["", "image/png", "*", "application/json;q=0", "a/b;;;"]) },
        }),
      () =>
        post("get", "", {
          method: "GET",
          path: `/graphql?query=${encodeURIComponent(wellFormed(broken(operation("query", 0).query)))}`,
          body: null,
          headers: { "apollo-require-preflight": "1" },
        }),
      () =>
        post("path", "", {
          method: pick(["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]),
          path: `/${encodeURI(pick(["graphql", "uploads/..%2f..%2fx", "uploads/", "exports/x", "%", "batch-predictions/%00", "metrics", "a".repeat(5000)]))}`,
          body: null,
          headers: {},
        }),
      () =>
        post(
          "inference",
          JSON.stringify({
            id: chance(0.5) ? text() : anyJson(1),
            inputs: Array.from({ length: below(3) }, () => ({
              name: text(),
              datatype: pick(["BYTES", "FP64", "INT64", "BOOL", text()]),
              shape: pick<unknown>([[1], [2, 1], anyJson(1)]),
              data: pick<unknown>([[text()], [1], [[null], [null]], anyJson(3)]),
              parameters: chance(0.8) ? {} : anyJson(2),
            })),
            ...(chance(0.3) ? { outputs: anyJson(2) } : {}),
          }),
          { path: `/v2/models/${encodeURIComponent(wellFormed(pick(pool)))}/infer` },
        ),
      () => post("stream", whole, { path: "/graphql/stream", headers: { ...json, accept: "text/event-stream" } }),
    ];
    return pick(requests)();
  };

  return {
    learn(more) {
      pool.push(...more.filter((word) => !pool.includes(word)));
      // The oldest go, so that the pool does not grow with the requests.
      if (pool.length > 300) pool.splice(words.length, pool.length - 300);
    },

    next() {
      const draw = random();
      const wrong = pick([0, 0, 0.05, 0.3]);
      if (draw < 0.35) return post("query", JSON.stringify(operation("query", wrong)));
      if (draw < 0.7) return post("mutation", JSON.stringify(operation("mutation", wrong)), { mutates: true });
      if (draw < 0.73) return post("subscription", JSON.stringify(operation("subscription", wrong)));
      if (draw < 0.83)
        return post("broken", JSON.stringify({ ...operation("query", 0), query: broken(operation("query", 0).query) }));
      if (draw < 0.88) return deep();
      return odd();
    },
  };
}

function isRequired({ type, defaultValue }: Pick<GraphQLArgument, "type" | "defaultValue">): boolean {
  return isNonNullType(type) && defaultValue === undefined;
}

/** Without halves of characters, which a URL cannot hold. */
function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
