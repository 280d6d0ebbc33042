/** Looks ahead in an operation, where what is not asked for would cost much to read. */
import type { GraphQLResolveInfo, SelectionNode } from "graphql";

/** True if below the field that is being resolved the operation has the fields of `path`, one in the other. */
export function asksFor({ fieldNodes, fragments }: GraphQLResolveInfo, path: readonly string[]): boolean {
  /** Fragments that have been looked into for so much of the path: without them a few of them could take for ever. */
  const seen = new Set<string>();
  const holds = (selections: readonly SelectionNode[], [name, ...deeper]: readonly string[]): boolean =>
    selections.some((selection) => {
      switch (selection.kind) {
        case "Field": {
          const isIt = selection.name.value === name;
          return isIt && (deeper.length === 0 || holds(selection.selectionSet?.selections ?? [], deeper));
        }
        case "InlineFragment":
          return holds(selection.selectionSet.selections, [name!, ...deeper]);
        case "FragmentSpread": {
          const looked = `${selection.name.value} ${deeper.length}`;
          if (seen.has(looked)) return false;
          seen.add(looked);
          return holds(fragments[selection.name.value]?.selectionSet.selections ?? [], [name!, ...deeper]);
        }
        default:
          return selection satisfies never;
      }
    });
  return fieldNodes.some(({ selectionSet }) => holds(selectionSet?.selections ?? [], path));
}
