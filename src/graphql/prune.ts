/** Prunes: what one would do, and what one was asked to do and came to. */
import { pruneRuleOf, pruneVerifiedOf } from "../context.ts";
import type { Context } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  planPrune: async (_, { input }, { services }) => {
    const { rule, cells, ...plan } = await services.planPrune(input);
    return { ...plan, ...rule, cells: [...cells] };
  },
};

export const Run: Resolvers["Run"] = {
  prune: (run) => {
    const rule = pruneRuleOf(run);
    return rule && { ...rule, verified: pruneVerifiedOf(run) };
  },
};

interface InCell {
  /** Keys. */
  readonly scenario: string;
  readonly task: string;
}

/** What has the keys of a scenario and a task has the two. */
const scenarioAndTask = {
  scenario: ({ scenario }: InCell, _: unknown, { loaders }: Context) => required(loaders.scenarioByKey.load(scenario)),
  task: ({ task }: InCell, _: unknown, { loaders }: Context) => required(loaders.taskByKey.load(task)),
};

export const CellChange: Resolvers["CellChange"] = scenarioAndTask;
export const PruneBreach: Resolvers["PruneBreach"] = scenarioAndTask;
export const PlannedCell: Resolvers["PlannedCell"] = {
  ...scenarioAndTask,
  flows: ({ flows }) => [...flows],
};
