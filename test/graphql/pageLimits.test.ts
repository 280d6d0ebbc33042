import { buildSchema, getOperationAST, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { createPageLimits } from "../../src/graphql/pageLimits.ts";

const schema = buildSchema(`
  directive @range(min: Int!, max: Int!) on ARGUMENT_DEFINITION
  type Query { things(first: Int! = 20 @range(min: 1, max: 100), ids: [ID!] @range(min: 1, max: 3), size: Int): [Thing!]! }
  interface Named { name: String }
  type Thing implements Named { name: String parts(first: Int! @range(min: 1, max: 10)): [Thing!]! }
`);

function errorsOf(text: string, variables: Readonly<Record<string, unknown>> = {}, name?: string) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  return createPageLimits(schema)(document, getOperationAST(document, name)!, variables).map(
    ({ message, path, extensions, locations }) => ({ message, path, extensions, line: locations![0]!.line }),
  );
}

describe("the bounds of arguments", () => {
  it("allow what is inside, what is not given, and arguments without bounds", () => {
    expect(
      errorsOf(`{ a: things(first: 1) { name } b: things(first: 100, size: 1000) { name } c: things { name } }`),
    ).toEqual([]);
    expect(errorsOf(`query ($n: Int! = 7, $ids: [ID!]) { things(first: $n, ids: $ids) { name } }`)).toEqual([]);
  });

  it("refuse a number with the field that has it", () => {
    expect(errorsOf(`{ all: things { ... on Thing { parts(first: 11) { name } } } }`)).toEqual([
      {
        message: "first: expected 1 to 10, got 11",
        path: ["all", "parts"],
        extensions: { code: "INVALID_INPUT", field: "first", expected: "1 to 10", received: "11" },
        line: 1,
      },
    ]);
  });

  it("refuse what a variable holds, its default included", () => {
    const document = `query ($n: Int! = 0, $ids: [ID!] = ["a", "b", "c", "d"]) { things(first: $n, ids: $ids) { name } }`;
    const messages = (variables: object) => errorsOf(document, { ...variables }).map(({ message }) => message);
    expect(messages({})).toEqual(["first: expected 1 to 100, got 0", "ids: expected 1 to 3, got 4"]);
    expect(messages({ n: 101, ids: [] })).toEqual(["first: expected 1 to 100, got 101", "ids: expected 1 to 3, got 0"]);
    expect(messages({ n: 1, ids: "one" })).toEqual([]);
  });

  it("hold in fragments, each told once, and in the operation that is asked for alone", () => {
    const text = `
      query One { things { ...Parts } again: things { ...Parts } }
      query Two { things { name } }
      fragment Parts on Thing { parts(first: -1) { ...Deeper } }
      fragment Deeper on Thing { parts(first: 0) { name } }`;
    expect(errorsOf(text, {}, "One").map(({ path, line }) => ({ path, line }))).toEqual([
      { path: ["things", "parts"], line: 4 },
      { path: ["things", "parts", "parts"], line: 5 },
    ]);
    expect(errorsOf(text, {}, "Two")).toEqual([]);
  });
});
