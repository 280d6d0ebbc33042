/** The bounds that schema.graphql gives with `@range`, held before an operation runs: page sizes, and lengths of lists. */
import { getDirectiveValues, getNamedType, GraphQLError, Kind } from "graphql";
import type {
  ArgumentNode,
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from "graphql";

type Variables = Readonly<Record<string, unknown>>;
type Path = readonly string[];

interface Range {
  readonly min: number;
  readonly max: number;
}

/** An argument that has bounds, where an operation gives it. */
interface Bounded {
  readonly argument: ArgumentNode;
  readonly range: Range;
  /** Of the field that has it, without the places in lists. */
  readonly path: Path;
}

export type PageLimits = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
) => GraphQLError[];

/**
 * Gives one error, with the code INVALID_INPUT, for every argument that is out of its bounds as it is written or by its
 * variable. The operation is a valid one of the document; what it gives is remembered as long as the document is.
 */
export function createPageLimits(schema: GraphQLSchema): PageLimits {
  const seen = new WeakMap<OperationDefinitionNode, readonly Bounded[]>();
  return (document, operation, variables) => {
    const found = seen.get(operation) ?? boundedArguments(schema, document, operation);
    seen.set(operation, found);
    return found.flatMap((bounded) => {
      const size = sizeOf(bounded.argument, operation, variables);
      const { min, max } = bounded.range;
      return size === undefined || (size >= min && size <= max) ? [] : [outOfRange(bounded, size)];
    });
  };
}

function boundedArguments(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Bounded[] {
  const found: Bounded[] = [];
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  /** Where it is spread a second time, it has the same faults again. */
  const seen = new Set<string>();

  const visit = ({ selections }: SelectionSetNode, parent: GraphQLNamedType, path: Path): void => {
    for (const selection of selections) {
      switch (selection.kind) {
        case Kind.FIELD:
          visitField(selection, parent, [...path, (selection.alias ?? selection.name).value]);
          break;
        case Kind.INLINE_FRAGMENT: {
          const { typeCondition, selectionSet } = selection;
          visit(selectionSet, typeCondition ? schema.getType(typeCondition.name.value)! : parent, path);
          break;
        }
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          if (seen.has(name)) break;
          seen.add(name);
          const { typeCondition, selectionSet } = fragments.get(name)!;
          visit(selectionSet, schema.getType(typeCondition.name.value)!, path);
          break;
        }
        default:
          selection satisfies never;
      }
    }
  };

  const visitField = (node: FieldNode, parent: GraphQLNamedType, path: Path): void => {
    const field = "getFields" in parent ? parent.getFields()[node.name.value] : undefined;
    // `__typename`, and what is known of the schema.
    if (!field || !("args" in field)) return;
    for (const argument of node.arguments ?? []) {
      const range = rangeOf(schema, field, argument.name.value);
      if (range) found.push({ argument, range, path });
    }
    if (node.selectionSet) visit(node.selectionSet, getNamedType(field.type), path);
  };

  visit(operation.selectionSet, schema.getRootType(operation.operation)!, []);
  return found;
}

function rangeOf(schema: GraphQLSchema, field: GraphQLField<unknown, unknown>, name: string): Range | undefined {
  const [directive, argument] = [schema.getDirective("range"), field.args.find((candidate) => candidate.name === name)];
  if (!directive || !argument?.astNode) return undefined;
  return getDirectiveValues(directive, argument.astNode) as unknown as Range | undefined;
}

/** The number, or how many items the list has; undefined where the argument has its default. */
function sizeOf(
  { value }: ArgumentNode,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Variables,
): number | undefined {
  switch (value.kind) {
    case Kind.INT:
      return Number(value.value);
    case Kind.LIST:
      return value.values.length;
    case Kind.VARIABLE: {
      const name = value.name.value;
      const given = variables[name];
      if (given !== undefined) return sizeOfJson(given);
      const standard = variableDefinitions.find(({ variable }) => variable.name.value === name)?.defaultValue;
      if (standard?.kind === Kind.INT) return Number(standard.value);
      return standard?.kind === Kind.LIST ? standard.values.length : undefined;
    }
    default:
      return undefined;
  }
}

function sizeOfJson(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return Array.isArray(value) ? value.length : undefined;
}

function outOfRange({ argument, range: { min, max }, path }: Bounded, size: number): GraphQLError {
  const field = argument.name.value;
  const [expected, received] = [`${min} to ${max}`, String(size)];
  return new GraphQLError(`${field}: expected ${expected}, got ${received}`, {
    nodes: argument,
    path,
    extensions: { code: "INVALID_INPUT", field, expected, received },
  });
}
