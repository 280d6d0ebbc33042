/** What a run recorded after each epoch besides its metrics. */
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Run: Resolvers["Run"] = {
  lossWeights: ({ id }, _, { loaders }) => loaders.runLossWeights.load(id),
  backboneStatistics: async ({ id }, { after, first }, { loaders }) => {
    const statistics = await loaders.runBackboneStatistics.load(id);
    const epochs = [...new Set(statistics.map(({ epoch }) => epoch))].filter((epoch) => epoch > after).slice(0, first);
    return statistics.filter(({ epoch }) => epochs.includes(epoch));
  },
};

export const LossWeightPoint: Resolvers["LossWeightPoint"] = {
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};

export const BackboneStatistic: Resolvers["BackboneStatistic"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  values: ({ values }) => [...values],
};
