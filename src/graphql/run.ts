/** Runs: what is to be trained, where it stands, and what came of it. */
import { backboneOf, engineOf, headOf, hyperParametersOf, presetOf, progressOf, timingsOf } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { countsOf, matrixOf } from "./matrix.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  run: (_, { id }, { loaders }) => loaders.run.load(id),
  runs: (_, { filter, ...page }, { loaders }) =>
    connection(page, (request) =>
      loaders.pages.runs({
        ...request,
        ...(filter?.state ? { states: [filter.state] } : {}),
        ...(filter?.kind ? { kind: filter.kind } : {}),
        ...(filter?.dataset ? { datasetId: filter.dataset } : {}),
        ...(filter?.backbone ? { backboneName: filter.backbone } : {}),
      }),
    ),
};

export const Mutation: Resolvers["Mutation"] = {
  trainModel: async (_, { input }, { services }) => ({ run: await services.trainModel(input) }),
  pruneModel: async (_, { input }, { services }) => ({ run: await services.pruneModel(input) }),
  cancelRun: async (_, { input }, { services }) => ({ run: await services.cancelRun(input) }),
};

export const Run: Resolvers["Run"] = {
  dataset: ({ datasetId }, _, { loaders }) => required(loaders.dataset.load(datasetId)),
  backbone: (run) => backboneOf(run),
  head: (run) => {
    const head = headOf(run);
    if (head.kind === "TOWERS") return { __typename: "TowersHead", layers: [...head.layers] };
    const { scenarioLayers, taskLayers, gateLayers } = head;
    return {
      ...head,
      __typename: "AutoIfsHead",
      scenarioLayers: [...scenarioLayers],
      taskLayers: [...taskLayers],
      gateLayers: [...gateLayers],
    };
  },
  hyperParameters: (run) => {
    const { search, ...rest } = hyperParametersOf(run);
    return { ...rest, search: headOf(run).kind === "AUTOIFS" ? search : null };
  },
  preset: (run) => presetOf(run),
  engine: (run) => engineOf(run),
  progress: (run) => progressOf(run),
  history: async ({ id, datasetId }, _, context) => {
    const [points, counts] = await Promise.all([context.loaders.runHistory.load(id), countsOf(datasetId, context)]);
    const epochs = [...new Set(points.map(({ epoch }) => epoch!))];
    return epochs.map((epoch) => {
      const measured = points.filter((point) => point.epoch === epoch);
      const splits = [...new Set(measured.map(({ split }) => split))];
      return { epoch, matrices: splits.map((split) => matrixOf(split, measured, counts)!) };
    });
  },
  matrix: async ({ id, datasetId }, { split }, context) => {
    const [points, counts] = await Promise.all([context.loaders.runMetrics.load(id), countsOf(datasetId, context)]);
    return matrixOf(split, points, counts);
  },
  flows: ({ id }, _, { loaders }) => loaders.runFlows.load(id),
  timings: (run) => timingsOf(run),
  parent: ({ parentRunId }, _, { loaders }) => (parentRunId === null ? null : loaders.run.load(parentRunId)),
  children: ({ id }, _, { loaders }) => loaders.runChildren.load(id),
};

export const Backbone: Resolvers["Backbone"] = {
  plugin: ({ name }, _, { services }) => services.plugin(name),
};
