/** Tasks. */
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";

export const Query: Resolvers["Query"] = {
  task: (_, { key }, { loaders }) => loaders.taskByKey.load(key),
  tasks: (_, { filter, orderBy, ...page }, { loaders }) => connection(page, loaders.lists.tasks({ filter, orderBy })),
};

export const Mutation: Resolvers["Mutation"] = {
  registerTask: async (_, { input }, { services }) => ({ task: await services.registerTask(input) }),
};

export const Task: Resolvers["Task"] = {
  onlyWhere: ({ onlyWhereId }, _, { loaders }) => (onlyWhereId === null ? null : loaders.taskById.load(onlyWhereId)),
};
