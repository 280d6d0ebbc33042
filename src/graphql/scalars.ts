/** The two scalars that GraphQL does not have itself. */
import { GraphQLError, GraphQLScalarType, Kind } from "graphql";
import type { ValueNode } from "graphql";
import { isDeeper } from "./depth.ts";

/** Objects and lists inside each other: what goes through one must not run out of stack. */
const deepestJson = 100;

export const DateTime = new GraphQLScalarType<Date, string>({
  name: "DateTime",
  description: "An instant in ISO 8601 with milliseconds, UTC, for example `2026-01-31T09:30:00.000Z`.",
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    throw new GraphQLError(`DateTime: expected a Date, got ${String(value)}`);
  },
  parseValue: instantOf,
});

export const JSON = new GraphQLScalarType<unknown, unknown>({
  name: "JSON",
  description:
    "Any JSON value: object, list, string, number, boolean or null; objects and lists at most 100 inside each other.",
  serialize: (value) => value,
  parseValue(value) {
    if (isDeeper(value, deepestJson)) throw tooDeep();
    return value;
  },
  // A variable in it has been bounded as a variable.
  parseLiteral: (node, variables) => valueOf(node, variables ?? {}),
});

/** Date, time and offset, all of them: what a `Date` would guess of less depends on where the server runs. */
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

function instantOf(value: unknown): Date {
  const date = typeof value === "string" && instant.test(value) ? new Date(value) : undefined;
  if (date && !Number.isNaN(date.getTime())) return date;
  throw new GraphQLError(
    `DateTime: expected an instant such as "2026-01-31T09:30:00.000Z", got ${globalThis.JSON.stringify(value)}`,
  );
}

/** A literal of the query language as the JSON value it stands for. */
function valueOf(node: ValueNode, variables: Readonly<Record<string, unknown>>, depth = 0): unknown {
  const inside = (value: ValueNode): unknown => valueOf(value, variables, depth + 1);
  const isNest = node.kind === Kind.LIST || node.kind === Kind.OBJECT;
  if (isNest && depth >= deepestJson) throw tooDeep();
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.LIST:
      return node.values.map(inside);
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, inside(field.value)]));
    case Kind.VARIABLE:
      return variables[node.name.value] ?? null;
  }
}

function tooDeep(): GraphQLError {
  return new GraphQLError(`JSON: expected at most ${deepestJson} objects and lists inside each other, got more`);
}
