/** Experiments: trainings that belong together, their trials, and what came of them. */
import { bestResults, experimentResults, experimentSpecOf, finalRun, trialConfigurationOf } from "../context.ts";
import type { ConfigurationResultRow, Context, ExperimentRow, TrialRow } from "../context.ts";
import { InvalidInputError } from "../errors.ts";
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

const mostResults = 1000;

export const Query: Resolvers["Query"] = {
  experiment: (_, { id }, { loaders }) => loaders.experiment.load(id),
  experiments: (_, { state, filter, orderBy, ...page }, { loaders }) =>
    connection(
      page,
      loaders.lists.experiments({
        filter: state ? { ...filter, and: [...(filter?.and ?? []), { state }] } : filter,
        orderBy,
      }),
    ),
};

export const Mutation: Resolvers["Mutation"] = {
  createExperiment: async (_, { input }, { services }) => ({ experiment: await services.createExperiment(input) }),
  cancelExperiment: async (_, { input }, { services }) => ({ experiment: await services.cancelExperiment(input) }),
};

export const Experiment: Resolvers["Experiment"] = {
  sweep: (experiment) => {
    const { sweep } = experimentSpecOf(experiment);
    return sweep && { ...sweep, rungs: [...(sweep.rungs?.epochs ?? [])] };
  },
  trialCounts: ({ id }, _, { loaders }) => loaders.trialCounts.load(id),
  trials: ({ id }, { state, ...page }, { loaders }) => connection(page, loaders.lists.experimentTrials(id, state)),
  results: async (experiment, { first }, context) =>
    (await resultsOf(experiment, context)).slice(0, checkedFirst(first)),
  best: async (experiment, _, context) => bestResults(experiment, await resultsOf(experiment, context)),
};

export const Trial: Resolvers["Trial"] = {
  experiment: ({ experimentId }, _, { loaders }) => required(loaders.experiment.load(experimentId)),
  configuration: (trial) => trialConfigurationOf(trial).name,
  values: (trial) => trialConfigurationOf(trial).values,
  dataset: ({ datasetId }, _, { loaders }) => required(loaders.dataset.load(datasetId)),
  runs: ({ id }, _, { loaders }) => loaders.trialRuns.load(id),
  finalRun: async (trial, _, { loaders }) => finalRun(trial, await loaders.trialRuns.load(trial.id)),
};

export const ConfigurationResult: Resolvers["ConfigurationResult"] = {
  dataset: ({ datasetId }, _, { loaders }) => required(loaders.dataset.load(datasetId)),
  cells: ({ cells }) => [...cells],
};

export const CellResult: Resolvers["CellResult"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};

export const Run: Resolvers["Run"] = {
  trial: ({ trialId }, _, { loaders }) => (trialId === null ? null : loaders.trial.load(trialId)),
};

async function resultsOf(experiment: ExperimentRow, { loaders }: Context): Promise<ConfigurationResultRow[]> {
  const trials = await loaders.experimentTrials.load(experiment.id);
  const { validation, test } = loaders.runAucAndLogloss;
  const measured = async (trial: TrialRow) => {
    const run = finalRun(trial, await loaders.trialRuns.load(trial.id));
    const [onValidation, onTest] = run ? await Promise.all([validation.load(run.id), test.load(run.id)]) : [[], []];
    return { trial, validation: onValidation, test: onTest };
  };
  return experimentResults(experiment, await Promise.all(trials.map(measured)));
}

function checkedFirst(first: number): number {
  if (first >= 1 && first <= mostResults) return first;
  const detail = { field: "first", expected: `1 to ${mostResults}`, received: String(first) };
  throw new InvalidInputError(`first: expected ${detail.expected}, got ${first}`, detail);
}
