import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
} from "graphql";
import { describe, expect, it } from "vitest";
import { hyperParameters } from "../../src/training/hyperParameters.ts";
import { resolvers, typeDefs } from "../../src/graphql/schema.ts";

const schema = buildSchema(typeDefs());
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith("__") && !isSpecifiedScalarType(type),
);

interface Documented {
  readonly path: string;
  readonly description: string | null | undefined;
}

function elements(): Documented[] {
  return types.flatMap((type): Documented[] => {
    const own = { path: type.name, description: type.description };
    if (isEnumType(type)) {
      return [own, ...type.getValues().map((value) => ({ path: `${type.name}.${value.name}`, ...value }))];
    }
    if (isInputObjectType(type)) {
      return [
        own,
        ...Object.values(type.getFields()).map((field) => ({ path: `${type.name}.${field.name}`, ...field })),
      ];
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return [own];
    return [
      own,
      ...Object.values(type.getFields()).flatMap((field) => [
        { path: `${type.name}.${field.name}`, description: field.description },
        ...field.args.map((arg) => ({ path: `${type.name}.${field.name}(${arg.name})`, description: arg.description })),
      ]),
    ];
  });
}

describe("schema.graphql", () => {
  it("documents every type, field, argument, input field and enum value", () => {
    expect(elements().filter(({ description }) => !description?.trim())).toEqual([]);
  });

  it("has a resolver for every query, mutation and subscription, and no other", () => {
    for (const type of [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!]) {
      const own = resolvers[type.name as "Query" | "Mutation" | "Subscription"];
      expect(Object.keys(own ?? {}).sort()).toEqual(Object.keys(type.getFields()).sort());
    }
  });

  it("has every hyper-parameter, in requests and in answers", () => {
    const { search, ...own } = hyperParameters.shape;
    const names = { own: [...Object.keys(own), "search"].sort(), search: Object.keys(search.shape).sort() };
    const fieldsOf = (type: string): string[] => {
      const found = schema.getType(type);
      return isObjectType(found) || isInputObjectType(found) ? Object.keys(found.getFields()).sort() : [];
    };
    expect(fieldsOf("HyperParameters")).toEqual(names.own);
    expect(fieldsOf("HyperParametersInput")).toEqual(names.own);
    expect(fieldsOf("SearchParameters")).toEqual(names.search);
    expect(fieldsOf("SearchParametersInput")).toEqual(names.search);
    expect(fieldsOf("RetrainInput")).toEqual(names.own.filter((name) => !["embeddingDim", "search"].includes(name)));
  });

  it("gives every mutation one input and a payload of its own", () => {
    for (const field of Object.values(schema.getMutationType()!.getFields())) {
      const name = field.name[0]!.toUpperCase() + field.name.slice(1);
      expect(field.args.map((arg) => `${arg.name}: ${String(arg.type)}`)).toEqual([`input: ${name}Input!`]);
      expect(String(field.type)).toBe(`${name}Payload!`);
    }
  });
});
