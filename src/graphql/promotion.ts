/** What guards an alias of a model, and what answers its requests beside the version it stands for. */
import { differencePairs } from "../context.ts";
import type { Context, PromotionRuleRow } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  checkPromotion: (_, input, { services }) => services.checkPromotion(input),
};

export const Mutation: Resolvers["Mutation"] = {
  addPromotionRule: async (_, { input }, { services }) => ({ promotionRule: await services.addPromotionRule(input) }),
  removePromotionRule: async (_, { input }, { services }) => ({ model: await services.removePromotionRule(input) }),
  setModelTraffic: (_, { input }, { services }) => services.setModelTraffic(input),
  removeModelTraffic: async (_, { input }, { services }) => ({ model: await services.removeModelTraffic(input) }),
};

export const Model: Resolvers["Model"] = {
  promotionRules: ({ id }, _, { loaders }) => loaders.modelRules.load(id),
  traffic: ({ id }, _, { loaders }) => loaders.modelTraffic.load(id),
};

type Terms = PromotionRuleRow["rule"];
type Member = Terms extends infer One ? (One extends Terms ? keyof One : never) : never;

/** Null where rules of its kind have no such member. */
const member = <Name extends Member>(rule: Terms, name: Name) =>
  (name in rule ? rule[name as keyof Terms] : null) as Extract<Terms, { readonly [_ in Name]: unknown }>[Name] | null;

export const PromotionRule: Resolvers["PromotionRule"] = {
  model: ({ modelId }, _, { loaders }) => required(loaders.modelById.load(modelId)),
  kind: ({ rule }) => rule.kind,
  metric: ({ rule }) => member(rule, "metric"),
  tolerance: ({ rule }) => member(rule, "tolerance"),
  beyondNoise: ({ rule }) => member(rule, "beyondNoise"),
  over: ({ rule }) => member(rule, "over"),
  bound: ({ rule }) => member(rule, "bound"),
  milliseconds: ({ rule }) => member(rule, "milliseconds"),
};

export const PromotionMeasurement: Resolvers["PromotionMeasurement"] = {
  scenario: ({ scenarioKey }, _, { loaders }) =>
    scenarioKey === null ? null : required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => (taskKey === null ? null : required(loaders.taskByKey.load(taskKey))),
};

export const ModelTraffic: Resolvers["ModelTraffic"] = {
  differences: async ({ modelId, alias }, _, { loaders }) =>
    differencePairs((await loaders.modelDifferences.load(modelId)).filter((row) => row.alias === alias)),
};

export const TrafficCell: Resolvers["TrafficCell"] = {
  scenario: ({ scenarioKey }, _: unknown, { loaders }: Context) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _: unknown, { loaders }: Context) => required(loaders.taskByKey.load(taskKey)),
};
