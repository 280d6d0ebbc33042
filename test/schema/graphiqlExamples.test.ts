import { buildSchema, getVariableValues, Kind, parse, validate } from "graphql";
import type { OperationDefinitionNode } from "graphql";
import { describe, expect, it } from "vitest";
import { typeDefs } from "../../src/graphql/schema.ts";
import { examples } from "../../src/server/graphiqlExamples.ts";

const schema = buildSchema(typeDefs());
const operationOf = (query: string): OperationDefinitionNode =>
  parse(query).definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION)!;

describe("the examples of GraphiQL", () => {
  it.each(examples.map((example) => [operationOf(example.query).name?.value, example] as const))(
    "has %s, which the schema allows, with its variables",
    (_, { query, variables = {} }) => {
      expect(validate(schema, parse(query))).toEqual([]);
      expect(getVariableValues(schema, operationOf(query).variableDefinitions ?? [], variables).errors).toBeUndefined();
    },
  );

  it("say in their first line what they are for", () => {
    expect(examples.filter(({ query }) => !query.startsWith("# "))).toEqual([]);
  });

  it("have a name each, the title of the tab", () => {
    const names = examples.map(({ query }) => operationOf(query).name?.value);
    expect(names).toEqual(["NewestRuns", "Register", "Train", "FollowRun", "Compare"]);
  });

  it("ask for why a mutation was refused", () => {
    const mutations = examples.filter(({ query }) => operationOf(query).operation === "mutation");
    for (const { query } of mutations) {
      expect(query.match(/userErrors \{/g)).toHaveLength(operationOf(query).selectionSet.selections.length);
    }
  });
});
