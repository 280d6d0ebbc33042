/** The model registry: models, their versions, and what stands for a version. */
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  model: (_, { key }, { loaders }) => loaders.modelByKey.load(key),
  models: (_, { filter, orderBy, ...page }, { loaders }) => connection(page, loaders.lists.models({ filter, orderBy })),
};

export const Mutation: Resolvers["Mutation"] = {
  registerModel: async (_, { input }, { services }) => ({ model: await services.registerModel(input) }),
  createModelVersion: async (_, { input }, { services }) => {
    const { version: modelVersion, created } = await services.createModelVersion(input);
    return { modelVersion, created };
  },
  setModelAlias: (_, { input }, { services }) => services.setModelAlias(input),
  removeModelAlias: async (_, { input }, { services }) => ({ model: await services.removeModelAlias(input) }),
};

export const Model: Resolvers["Model"] = {
  versions: ({ id }, page, { loaders }) => connection(page, loaders.lists.modelVersions(id)),
  latestVersion: ({ id }, _, { loaders }) => loaders.latestVersion.load(id),
  aliases: ({ id }, _, { loaders }) => loaders.modelAliases.load(id),
};

export const ModelVersion: Resolvers["ModelVersion"] = {
  model: ({ modelId }, _, { loaders }) => required(loaders.modelById.load(modelId)),
  run: ({ runId }, _, { loaders }) => required(loaders.run.load(runId)),
  aliases: ({ id }, _, { loaders }) => loaders.versionAliases.load(id),
  lineage: ({ runId }, _, { loaders }) => required(loaders.run.load(runId)),
};

/** Of the run that the version came from. */
export const ModelLineage: Resolvers["ModelLineage"] = {
  dataset: ({ datasetId }, _, { loaders }) => required(loaders.dataset.load(datasetId)),
  runs: ({ id }, _, { loaders }) => loaders.runChain.load(id),
  checkpointHash: ({ checkpointHash }) => checkpointHash!,
  checkpointBytes: async ({ checkpointHash }, _, { loaders }) =>
    (await loaders.artifact.load(checkpointHash!))?.bytes ?? null,
  batchPredictions: ({ id }, page, { loaders }) => connection(page, loaders.lists.runBatches(id)),
};

export const Dataset: Resolvers["Dataset"] = {
  modelVersions: ({ id }, page, { loaders }) => connection(page, loaders.lists.datasetVersions(id)),
};

export const ModelAlias: Resolvers["ModelAlias"] = {
  version: ({ versionId }, _, { loaders }) => required(loaders.modelVersion.load(versionId)),
};

export const Run: Resolvers["Run"] = {
  modelVersions: ({ id }, _, { loaders }) => loaders.runVersions.load(id),
};
