/**
 * What an operation asks for, without running it: how deep and how much (its cost), and which role it needs. The cost counts
 * objects: every object is 1, a list as many as its `first` or, without one, `assumedItems`; leaves are free; `@cost` in the
 * schema gives a field another weight, and names the list argument whose length multiplies it. A mutation is 10.
 */
import {
  getDirectiveValues,
  getNamedType,
  isCompositeType,
  isListType,
  getNullableType,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from "graphql";
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
  ValueNode,
} from "graphql";
import type { Role } from "./generated.ts";
import { neededRole } from "./neededRole.ts";

/** Items of a list that has no `first`. */
const assumedItems = 10;
const mutationWeight = 10;
/** Selections inside each other; what is below is not looked at, for the stack may not do: it is as deep as that, and refused. */
const deepestRead = 200;
const roles: readonly Role[] = ["VIEWER", "EDITOR", "ADMIN"];

export type Variables = Readonly<Record<string, unknown>>;

export interface Inspection {
  /** Fields inside each other. */
  readonly depth: number;
  /** Fields under another name than their own. */
  readonly aliases: number;
  /** The least role that may ask for all of it. */
  readonly role: Role;
  /** In objects. */
  cost(variables: Variables): number;
}

/** A number that may depend on variables. Parts of it are shared, so it is worked out with each part once. */
type Amount = number | Term;
type Term = (variables: Variables, valueOf: (amount: Amount) => number) => number;

interface Part {
  readonly depth: number;
  readonly aliases: number;
  readonly role: Role;
  readonly cost: Amount;
}

const nothing: Part = { depth: 0, aliases: 0, role: "VIEWER", cost: 0 };

/** Of a document that is valid. What was seen once is remembered as long as the document is. */
export function createInspector(
  schema: GraphQLSchema,
): (document: DocumentNode, operation: OperationDefinitionNode) => Inspection {
  const seen = new WeakMap<OperationDefinitionNode, Inspection>();
  return (document, operation) => {
    const before = seen.get(operation);
    if (before) return before;
    const { cost, ...part } = inspect(schema, document, operation);
    const inspection = { ...part, cost: (variables: Variables) => worth(cost, variables) };
    seen.set(operation, inspection);
    return inspection;
  };
}

function inspect(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Part {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  /** Each fragment once for each connection around it, however often it is spread. */
  const ofFragment = new Map<string, Map<Amount | undefined, Part>>();
  const defaults = new Map(
    (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => [variable.name.value, defaultValue]),
  );

  /** Selections inside each other, where it is read. */
  let level = 0;

  /** `items` is what the page of the connection around holds. */
  const ofSelections = ({ selections }: SelectionSetNode, parent: GraphQLNamedType, items?: Amount): Part => {
    if (level === deepestRead) return { ...nothing, depth: deepestRead };
    level += 1;
    const part = selections
      .map((selection): Part => {
        switch (selection.kind) {
          case Kind.FIELD:
            return ofField(selection, parent, items);
          case Kind.INLINE_FRAGMENT: {
            const on = selection.typeCondition ? schema.getType(selection.typeCondition.name.value)! : parent;
            return ofSelections(selection.selectionSet, on, items);
          }
          case Kind.FRAGMENT_SPREAD: {
            const name = selection.name.value;
            const { selectionSet, typeCondition } = fragments.get(name)!;
            const known = ofFragment.get(name) ?? new Map<Amount | undefined, Part>();
            ofFragment.set(name, known);
            const part =
              known.get(items) ?? ofSelections(selectionSet, schema.getType(typeCondition.name.value)!, items);
            known.set(items, part);
            return part;
          }
        }
      })
      .reduce(together, nothing);
    level -= 1;
    return part;
  };

  const ofField = (node: FieldNode, parent: GraphQLNamedType, items?: Amount): Part => {
    const aliases = node.alias && node.alias.value !== node.name.value ? 1 : 0;
    const field = fieldOf(parent, node.name.value);
    const type = getNamedType(field.type);
    const first = field.args.find(({ name }) => name === "first");
    const page = first ? numberOf(node, "first", first.defaultValue, defaults) : undefined;
    const isPaged = page !== undefined && !isListType(getNullableType(field.type));
    const inside = node.selectionSet ? ofSelections(node.selectionSet, type, isPaged ? page : undefined) : nothing;
    const isList = isListType(getNullableType(field.type));
    const count = isList ? (page ?? items ?? assumedItems) : 1;
    const usual = parent === schema.getMutationType() ? mutationWeight : isCompositeType(type) ? 1 : 0;
    const weight = weightOf(field, node, usual);
    return {
      depth: 1 + inside.depth,
      aliases: aliases + inside.aliases,
      role: [field, parent, type].map((place) => neededRole(schema, place)).reduce(higher, inside.role),
      cost: times(count, plus(weight, inside.cost)),
    };
  };

  return ofSelections(operation.selectionSet, schema.getRootType(operation.operation)!);

  /** `@cost(weight:, perItemOf:)` of the field, else `otherwise`. */
  function weightOf(field: GraphQLField<unknown, unknown>, node: FieldNode, otherwise: number): Amount {
    const directive = schema.getDirective("cost");
    const given = directive && field.astNode ? getDirectiveValues(directive, field.astNode) : undefined;
    if (!given) return otherwise;
    const [weight, list] = [given["weight"] as number, given["perItemOf"] as string | null | undefined];
    return list ? times(weight, lengthOf(node, list)) : weight;
  }
}

function fieldOf(parent: GraphQLNamedType, name: string): GraphQLField<unknown, unknown> {
  const everywhere = [SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef].find((field) => field.name === name);
  return (
    everywhere ?? ("getFields" in parent ? (parent.getFields()[name] as GraphQLField<unknown, unknown>) : undefined)!
  );
}

function together(a: Part, b: Part): Part {
  return {
    depth: Math.max(a.depth, b.depth),
    aliases: a.aliases + b.aliases,
    role: higher(a.role, b.role),
    cost: plus(a.cost, b.cost),
  };
}

const higher = (a: Role, b: Role): Role => (roles.indexOf(a) > roles.indexOf(b) ? a : b);

function numberOf(
  node: FieldNode,
  argument: string,
  standard: unknown,
  defaults: ReadonlyMap<string, ValueNode | undefined>,
): Amount {
  const value = node.arguments?.find(({ name }) => name.value === argument)?.value;
  const otherwise = typeof standard === "number" ? standard : assumedItems;
  if (value?.kind === Kind.INT) return Math.max(0, Number(value.value));
  if (value?.kind !== Kind.VARIABLE) return otherwise;
  const name = value.name.value;
  const written = defaults.get(name);
  const unset = written?.kind === Kind.INT ? Number(written.value) : otherwise;
  return (variables) => {
    const given = variables[name];
    return typeof given === "number" && given > 0 ? given : unset;
  };
}

function lengthOf(node: FieldNode, argument: string): Amount {
  const value = node.arguments?.find(({ name }) => name.value === argument)?.value;
  if (value?.kind === Kind.LIST) return value.values.length;
  if (value?.kind !== Kind.VARIABLE) return 1;
  return (variables) => {
    const given = variables[value.name.value];
    return Array.isArray(given) ? given.length : 1;
  };
}

function plus(a: Amount, b: Amount): Amount {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return (_, valueOf) => valueOf(a) + valueOf(b);
}

function times(a: Amount, b: Amount): Amount {
  if (typeof a === "number" && typeof b === "number") return a * b;
  return (_, valueOf) => valueOf(a) * valueOf(b);
}

function worth(amount: Amount, variables: Variables): number {
  const known = new Map<Term, number>();
  const valueOf = (one: Amount): number => {
    if (typeof one === "number") return one;
    const value = known.get(one) ?? one(variables, valueOf);
    known.set(one, value);
    return value;
  };
  return valueOf(amount);
}
