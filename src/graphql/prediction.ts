/** Predictions. */
import { asksFor } from "./asksFor.ts";
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

/** What a model has to be unfolded for. */
const parts = ["partials", "gates"];

export const Query: Resolvers["Query"] = {
  predict: (_, input, { services }, info) =>
    services.predict({ ...input, explain: parts.some((part) => asksFor(info, ["rows", "tasks", part])) }),
  rank: (_, input, { services }) => services.rank(input),
};

export const PredictedRow: Resolvers["PredictedRow"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
};

export const TaskPrediction: Resolvers["TaskPrediction"] = {
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};
