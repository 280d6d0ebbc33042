/** What a model version meets in use: how its rows drift, and how its probabilities hold against what happened. */
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Mutation: Resolvers["Mutation"] = {
  recordOutcomes: (_, { input }, { services }) => services.recordOutcomes(input),
};

export const ModelVersion: Resolvers["ModelVersion"] = {
  drift: (version, days, { services }) => services.drift(version, days),
  calibration: (version, days, { services }) => services.calibration(version, days),
};

export const FieldDrift: Resolvers["FieldDrift"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
};

export const CellCalibration: Resolvers["CellCalibration"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};

export const OutcomeError: Resolvers["OutcomeError"] = {
  task: ({ taskKey }) => taskKey,
};
