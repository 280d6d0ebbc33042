/** Runs: what is to be trained, where it stands, and what came of it. */
import {
  addedKeys,
  backboneOf,
  budgetOf,
  checkpointSavedOf,
  engineOf,
  epochSummaryOf,
  headOf,
  hyperParametersOf,
  modelSizeOf,
  presetOf,
  progressOf,
  progressReportOf,
  runEvents,
  stateChangeOf,
  timingsOf,
} from "../context.ts";
import type { RunEventRow } from "../context.ts";
import { asksFor } from "./asksFor.ts";
import type { Resolvers } from "./generated.ts";
import { countsOf, matrixOf, summariesOf } from "./matrix.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  run: (_, { id }, { loaders }) => loaders.run.load(id),
  runs: (_, { filter, orderBy, ...page }, { loaders }) => connection(page, loaders.lists.runs({ filter, orderBy })),
};

export const Mutation: Resolvers["Mutation"] = {
  trainModel: async (_, { input }, { services }) => ({ run: await services.trainModel(input) }),
  pruneModel: async (_, { input }, { services }) => ({ run: await services.pruneModel(input) }),
  extendModel: async (_, { input }, { services }) => ({ run: await services.extendModel(input) }),
  cancelRun: async (_, { input }, { services }) => ({ run: await services.cancelRun(input) }),
  pauseRun: async (_, { input }, { services }) => ({ run: await services.pauseRun(input) }),
  resumeRun: async (_, { input }, { services }) => ({ run: await services.resumeRun(input) }),
};

export const Subscription: Resolvers["Subscription"] = {
  runProgress: {
    subscribe: (_, { id, after }, { services }) => services.followRun(id, after),
    resolve: (event: RunEventRow) => event,
  },
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
    const { search, lossBalancing, ...rest } = hyperParametersOf(run);
    return {
      ...rest,
      lossBalancing: { weights: [], asymmetry: null, learningRate: null, ...lossBalancing },
      search: headOf(run).kind === "AUTOIFS" ? search : null,
    };
  },
  preset: (run) => presetOf(run),
  engine: (run) => engineOf(run),
  budget: (run) => budgetOf(run),
  progress: (run) => progressOf(run),
  events: (run, page, { loaders }) => runEvents(run, page, (request) => loaders.lists.runEvents(run.id, request)),
  history: async ({ id, datasetId }, _, context) => {
    const [points, counts] = await Promise.all([context.loaders.runHistory.load(id), countsOf(datasetId, context)]);
    const epochs = [...new Set(points.map(({ epoch }) => epoch!))];
    return epochs.map((epoch) => {
      const measured = points.filter((point) => point.epoch === epoch);
      const splits = [...new Set(measured.map(({ split }) => split))];
      return { epoch, matrices: splits.map((split) => matrixOf(split, measured, counts)!) };
    });
  },
  matrix: async ({ id, datasetId }, { split }, context, info) => {
    const { runMetrics, runAucAndLogloss } = context.loaders;
    const read = asksFor(info, ["cells", "metrics"]) ? runMetrics : runAucAndLogloss;
    const [points, counts] = await Promise.all([read[split].load(id), countsOf(datasetId, context)]);
    return matrixOf(split, points, counts);
  },
  metrics: async ({ id }, { split, names }, { loaders }) =>
    summariesOf(await loaders.runSummaries[split].load(id), names),
  flows: ({ id }, _, { loaders }) => loaders.runFlows.load(id),
  timings: (run) => timingsOf(run),
  size: (run) => modelSizeOf(run),
  extended: async ({ kind, datasetId, parentRunId }, _, { loaders }) => {
    if (kind !== "EXTEND") return null;
    const base = await required(loaders.run.load(parentRunId!));
    return addedKeys(
      await required(loaders.dataset.load(base.datasetId)),
      await required(loaders.dataset.load(datasetId)),
    );
  },
  parent: ({ parentRunId }, _, { loaders }) => (parentRunId === null ? null : loaders.run.load(parentRunId)),
  children: ({ id }, _, { loaders }) => loaders.runChildren.load(id),
};

export const RunExtension: Resolvers["RunExtension"] = {
  scenarios: ({ scenarioKeys }, _, { loaders }) =>
    Promise.all(scenarioKeys.map((key) => required(loaders.scenarioByKey.load(key)))),
  tasks: ({ taskKeys }, _, { loaders }) => Promise.all(taskKeys.map((key) => required(loaders.taskByKey.load(key)))),
};

export const RunEvent: Resolvers["RunEvent"] = {
  at: ({ createdAt }) => createdAt,
  state: (event) => stateChangeOf(event),
  progress: (event) => progressReportOf(event),
  epoch: (event) => epochSummaryOf(event),
  checkpoint: (event) => checkpointSavedOf(event),
};

export const CheckpointSaved: Resolvers["CheckpointSaved"] = {
  epochsDone: ({ epoch }) => epoch,
  stepsDone: ({ step }) => step,
};

export const Backbone: Resolvers["Backbone"] = {
  plugin: ({ name }, _, { services }) => services.plugin(name),
};

export const TaskWeight: Resolvers["TaskWeight"] = {
  task: ({ task }, _, { loaders }) => required(loaders.taskByKey.load(task)),
};

export const CellWeight: Resolvers["CellWeight"] = {
  scenario: ({ scenario }, _, { loaders }) => required(loaders.scenarioByKey.load(scenario)),
  task: ({ task }, _, { loaders }) => required(loaders.taskByKey.load(task)),
};
