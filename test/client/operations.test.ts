import { readFileSync } from "node:fs";
import { buildSchema, Kind, parse, validate } from "graphql";
import type { FieldNode, OperationDefinitionNode } from "graphql";
import { describe, expect, it } from "vitest";
import { operations, runProgressText } from "../../src/client/operations.ts";

/** Fields of Query and Mutation that no operation asks for, each with the reason. */
const leftOut: Readonly<Record<string, string>> = {};

const schema = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));
const texts = Object.entries({ ...operations, runProgress: runProgressText });

const fieldsOf = (text: string): string[] =>
  parse(text)
    .definitions.filter((one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION)
    .flatMap(({ selectionSet }) => selectionSet.selections as FieldNode[])
    .map(({ name }) => name.value);

describe("the operations of the client", () => {
  it("reach every query and mutation of the schema, but for those that are left out for a reason", () => {
    const reached = new Set(texts.flatMap(([, text]) => fieldsOf(text)));
    const roots = [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!];
    const missing = roots.flatMap((type) => Object.keys(type.getFields())).filter((field) => !reached.has(field));
    expect(missing.sort()).toEqual(Object.keys(leftOut).sort());
  });

  it("are valid, and ask for one field each", () => {
    expect(
      texts.flatMap(([name, text]) => validate(schema, parse(text)).map(({ message }) => `${name}: ${message}`)),
    ).toEqual([]);
    expect(texts.filter(([, text]) => fieldsOf(text).length !== 1).map(([name]) => name)).toEqual([]);
  });

  it("ask of every mutation why it was refused", () => {
    const mutations = texts.filter(([, text]) => /^\s*mutation\b/m.test(text));
    expect(mutations.length).toBeGreaterThan(0);
    expect(mutations.filter(([, text]) => !text.includes("userErrors {")).map(([name]) => name)).toEqual([]);
  });
});
