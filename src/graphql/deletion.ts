/** Deleting, restoring and purging. */
import type { Resolvers } from "./generated.ts";
import { typeAmong } from "./node.ts";

export const Query: Resolvers["Query"] = {
  purgePlan: (_, { ids }, { services }) => services.purgePlan(ids),
};

export const Mutation: Resolvers["Mutation"] = {
  deleteNode: async (_, { input }, { services }) => ({ deleted: await services.deleteNode(input) }),
  restoreNode: async (_, { input }, { services }) => ({ restored: await services.restoreNode(input) }),
  purge: (_, { input }, { services }) => services.purge(input),
};

export const Deletable: Resolvers["Deletable"] = { __resolveType: typeAmong };
