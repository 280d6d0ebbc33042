/** Looks ahead in an operation, where what is not asked for would cost much to read. */
import type { GraphQLResolveInfo, SelectionNode } from "graphql";

/** True if below the field that is being resolved the operation has the fields of `path`, one in the other. */
export function asksFor({ fieldNodes, fragments }: GraphQLResolveInfo, path: readonly string[]): boolean {
  const holds = (selections: readonly SelectionNode[], [name, ...deeper]: readonly string[]): boolean =>
    selections.some((selection) => {
      switch (selection.kind) {
        case "Field": {
          const isIt = selection.name.value === name;
          return isIt && (deeper.length === 0 || holds(selection.selectionSet?.selections ?? [], deeper));
        }
        case "InlineFragment":
          return holds(selection.selectionSet.selections, [name!, ...deeper]);
        case "FragmentSpread":
          return holds(fragments[selection.name.value]?.selectionSet.selections ?? [], [name!, ...deeper]);
        default:
          return selection satisfies never;
      }
    });
  return fieldNodes.some(({ selectionSet }) => holds(selectionSet?.selections ?? [], path));
}
