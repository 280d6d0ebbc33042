/** Tags and notes of datasets, runs and models. */
import type { AnnotatedRow, Context, TagRow } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { typeAmong } from "./node.ts";

export const Mutation: Resolvers["Mutation"] = {
  setTags: async (_, { input }, { services, loaders }) => changed(await services.setTags(input), loaders),
  removeTags: async (_, { input }, { services, loaders }) => changed(await services.removeTags(input), loaders),
  setNote: async (_, { input }, { services, loaders }) => changed(await services.setNote(input), loaders),
};

const tags = ({ id }: { readonly id: string }, _: object, { loaders }: Context): Promise<TagRow[]> =>
  loaders.tags.load(id);

export const Dataset: Resolvers["Dataset"] = { tags };
export const Run: Resolvers["Run"] = { tags };
export const Model: Resolvers["Model"] = { tags };

export const Annotated: Resolvers["Annotated"] = { __resolveType: typeAmong };

/** An operation may hold several changes of one thing; each answers what has become of it by then. */
function changed(annotated: AnnotatedRow, loaders: Context["loaders"]): { readonly annotated: AnnotatedRow } {
  loaders.tags.clear(annotated.id);
  return { annotated };
}
