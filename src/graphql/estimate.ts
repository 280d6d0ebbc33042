/** What a training would cost. */
import type { Resolvers } from "./generated.ts";

export const Query: Resolvers["Query"] = {
  estimateTraining: (_, { input }, { services }) => services.estimateTraining(input),
};
