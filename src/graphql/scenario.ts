/** Scenarios. */
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";

export const Query: Resolvers["Query"] = {
  scenario: (_, { key }, { loaders }) => loaders.scenarioByKey.load(key),
  scenarios: (_, { filter, orderBy, ...page }, { loaders }) =>
    connection(page, loaders.lists.scenarios({ filter, orderBy })),
};

export const Mutation: Resolvers["Mutation"] = {
  registerScenario: async (_, { input }, { services }) => ({ scenario: await services.registerScenario(input) }),
};
