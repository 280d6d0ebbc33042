/** The least role that a field or a type needs, as the schema says with `@access`. */
import { getDirectiveValues } from "graphql";
import type { GraphQLField, GraphQLNamedType, GraphQLSchema } from "graphql";
import type { Role } from "./generated.ts";

export function neededRole(schema: GraphQLSchema, place: GraphQLField<unknown, unknown> | GraphQLNamedType): Role {
  const directive = schema.getDirective("access");
  const given = directive && place.astNode ? getDirectiveValues(directive, place.astNode) : undefined;
  return (given?.["role"] as Role | undefined) ?? "VIEWER";
}
