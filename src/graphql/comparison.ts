/** Runs against runs: comparisons, seesaws, replays, and the conditions under which they count. */
import { cellOf, protocolOf, replayOf, versionsOf } from "../context.ts";
import type { ComparedCellRow, Context, RunRow } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  compareRuns: (_, input, { services }) => services.compareRuns(input),
  seesaw: (_, { run }, { services }) => services.seesaw(run),
};

export const Mutation: Resolvers["Mutation"] = {
  trainBaselines: (_, { input }, { services }) => services.trainBaselines(input),
  replayRun: async (_, { input }, { services }) => ({ run: await services.replayRun(input) }),
};

export const Run: Resolvers["Run"] = {
  cell: (run) => {
    const cell = cellOf(run);
    return cell && { scenarioKey: cell.scenario, taskKey: cell.task };
  },
  configurationHash: ({ configurationHash }) => configurationHash || null,
  protocol: async (run, _, { loaders }) => protocolOf(run, await required(loaders.dataset.load(run.datasetId))),
  versions: (run) => Object.entries(versionsOf(run)).map(([name, version]) => ({ name, version })),
  replay: async (run, _, context) => {
    if (run.replayOfRunId === null || run.state !== "SUCCEEDED") return null;
    const original = await required(context.loaders.run.load(run.replayOfRunId));
    return replayOf(await finished(original, context), await finished(run, context));
  },
  replays: ({ id }, _, { loaders }) => loaders.runReplays.load(id),
};

async function finished(run: RunRow, { loaders }: Context) {
  const [dataset, validation, test] = await Promise.all([
    required(loaders.dataset.load(run.datasetId)),
    loaders.runMetrics.validation.load(run.id),
    loaders.runMetrics.test.load(run.id),
  ]);
  return { run, dataset, metrics: [...validation, ...test] };
}

export const Comparison: Resolvers["Comparison"] = {
  auc: ({ cells }) => countsOf(cells, "auc"),
  logloss: ({ cells }) => countsOf(cells, "logloss"),
};

function countsOf(cells: readonly ComparedCellRow[], metric: "auc" | "logloss") {
  const count = (verdict: string | null): number => cells.filter((cell) => cell[metric].verdict === verdict).length;
  return { better: count("BETTER"), worse: count("WORSE"), withinNoise: count("WITHIN_NOISE"), none: count(null) };
}

interface InCell {
  readonly scenarioKey: string;
  readonly taskKey: string;
}

/** What has the keys of a scenario and a task has the two. */
const scenarioAndTask = {
  scenario: ({ scenarioKey }: InCell, _: unknown, { loaders }: Context) =>
    required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }: InCell, _: unknown, { loaders }: Context) => required(loaders.taskByKey.load(taskKey)),
};

export const RunCell: Resolvers["RunCell"] = scenarioAndTask;
export const CellComparison: Resolvers["CellComparison"] = scenarioAndTask;
export const SeesawCell: Resolvers["SeesawCell"] = scenarioAndTask;
export const MetricDifference: Resolvers["MetricDifference"] = scenarioAndTask;
