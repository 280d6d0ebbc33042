/** Predictions. */
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  predict: (_, input, { services }) => services.predict(input),
};

export const PredictedRow: Resolvers["PredictedRow"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
};

export const TaskPrediction: Resolvers["TaskPrediction"] = {
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};
