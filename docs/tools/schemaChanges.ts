/** What differs between two versions of the schema, and which of it breaks clients that were not warned. */
import {
  buildASTSchema,
  DangerousChangeType,
  findBreakingChanges,
  findDangerousChanges,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isTypeDefinitionNode,
  isUnionType,
  parse,
  print,
  visit,
} from "graphql";
import type {
  DocumentNode,
  EnumValueDefinitionNode,
  FieldDefinitionNode,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLSchema,
  InputValueDefinitionNode,
} from "graphql";

/** Sentences, in the order of the schema. */
export interface SchemaChanges {
  /** What a client could use before, without being told that it would go, and cannot use any more. */
  readonly breaking: readonly string[];
  /** Breaking too, but what it takes away was deprecated. */
  readonly announced: readonly string[];
  /** Answers or defaults that a client may not expect, though its requests stay valid. */
  readonly dangerous: readonly string[];
  readonly deprecated: readonly string[];
  readonly added: readonly string[];
}

/** Of two schemas in the language of schema.graphql. */
export function schemaChanges(before: string, after: string): SchemaChanges {
  const old = buildASTSchema(parse(before));
  const now = buildASTSchema(parse(after));
  const heeded = buildASTSchema(withoutDeprecated(parse(before)), { assumeValid: true });
  const breaking = sentences(findBreakingChanges(heeded, now));
  const had = membersOf(old);
  const has = [...membersOf(now)];
  return {
    breaking,
    announced: sentences(findBreakingChanges(old, now)).filter((change) => !breaking.includes(change)),
    dangerous: [
      ...sentences(findDangerousChanges(old, now).filter(({ type }) => !isAddition(type))),
      ...has.flatMap(([path, { standard }]) => changedStandard(path, had.get(path)?.standard, standard)),
    ],
    deprecated: has
      .filter(([path, { reason }]) => reason !== undefined && had.get(path)?.reason === undefined)
      .map(([path, { reason }]) => `${path} is deprecated: ${reason}`),
    added: has
      .filter(([path, { parent, isValue }]) => !had.has(path) && (parent === "" || had.has(parent)) && !isValue)
      .map(([path, { type }]) => `${path}${type === undefined ? "" : `: ${type}`} was added.`),
  };
}

/** A new value of an enum is an addition too, but one that programs with a list of the values may stumble over. */
function isAddition(type: DangerousChangeType): boolean {
  return type === DangerousChangeType.OPTIONAL_ARG_ADDED || type === DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED;
}

function sentences(changes: readonly { readonly description: string }[]): string[] {
  return changes.map(({ description }) => description);
}

/** Of an input member; arguments are looked after by graphql. */
function changedStandard(path: string, before: string | undefined, after: string | undefined): string[] {
  if (before === undefined || before === after) return [];
  return [`${path} has changed its default from ${before} to ${after ?? "none"}.`];
}

/**
 * The schema as if all that is deprecated had gone already, and with it the types that nothing else leads to. Holding it
 * against the next version tells whether a client that heeded the warnings goes on working.
 */
function withoutDeprecated(document: DocumentNode): DocumentNode {
  const drop = ({ directives }: FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode) =>
    directives?.some(({ name }) => name.value === "deprecated") ? null : undefined;
  const kept = visit(document, { FieldDefinition: drop, InputValueDefinition: drop, EnumValueDefinition: drop });
  const reached = reachable(buildASTSchema(kept, { assumeValid: true }));
  return {
    ...kept,
    definitions: kept.definitions.filter((node) => !isTypeDefinitionNode(node) || reached.has(node.name.value)),
  };
}

/** Names of the types that a request can come to, or needs. */
function reachable(schema: GraphQLSchema): ReadonlySet<string> {
  const found = new Set<string>();
  const visitType = (type: GraphQLNamedType): void => {
    if (found.has(type.name)) return;
    found.add(type.name);
    if (isUnionType(type)) return type.getTypes().forEach(visitType);
    // A type that has nothing left but its name has gone.
    if (isInterfaceType(type)) schema.getPossibleTypes(type).filter(hasFields).forEach(visitType);
    if (isObjectType(type) || isInterfaceType(type)) {
      type.getInterfaces().forEach(visitType);
      for (const { type: answer, args } of Object.values(type.getFields())) {
        [answer, ...args.map((arg) => arg.type)].forEach((used) => visitType(getNamedType(used)));
      }
    }
    if (isInputObjectType(type))
      Object.values(type.getFields()).forEach((member) => visitType(getNamedType(member.type)));
  };
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    if (root) visitType(root);
  }
  for (const { args } of schema.getDirectives()) args.forEach((arg) => visitType(getNamedType(arg.type)));
  return found;
}

function hasFields(type: GraphQLObjectType): boolean {
  return Object.keys(type.getFields()).length > 0;
}

interface Member {
  /** Path of what it is part of; empty for a type. */
  readonly parent: string;
  readonly type?: string;
  /** Why it is deprecated; undefined: it is not. */
  readonly reason?: string;
  /** Default of an input member, as the schema writes it. */
  readonly standard?: string;
  /** Of an enum. */
  readonly isValue?: boolean;
}

/** Types, fields, arguments, input members and enum values by path, for example `Query.runs(first)`. */
function membersOf(schema: GraphQLSchema): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>();
  for (const type of Object.values(schema.getTypeMap()).filter((one) => !isIntrospectionType(one))) {
    const parent = type.name;
    members.set(parent, { parent: "" });
    if (isEnumType(type)) {
      for (const value of type.getValues()) {
        members.set(`${parent}.${value.name}`, { parent, isValue: true, ...reasonOf(value) });
      }
    } else if (isInputObjectType(type)) {
      for (const { name, astNode, ...member } of Object.values(type.getFields())) {
        const standard = astNode?.defaultValue && { standard: print(astNode.defaultValue) };
        members.set(`${parent}.${name}`, { parent, type: String(member.type), ...standard, ...reasonOf(member) });
      }
    } else if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        const path = `${parent}.${field.name}`;
        members.set(path, { parent, type: String(field.type), ...reasonOf(field) });
        for (const arg of field.args) {
          members.set(`${path}(${arg.name})`, { parent: path, type: String(arg.type), ...reasonOf(arg) });
        }
      }
    }
  }
  return members;
}

function reasonOf({ deprecationReason }: { readonly deprecationReason?: string | null }): { readonly reason?: string } {
  return typeof deprecationReason === "string" ? { reason: deprecationReason } : {};
}
