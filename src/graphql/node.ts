/** Anything by its global id: the letters before `_` tell which loader has it. */
import type { GraphQLResolveInfo } from "graphql";
import { mayAct } from "../context.ts";
import type { Context } from "../context.ts";
import { InvalidInputError } from "../errors.ts";
import type { Resolvers, ResolversTypes } from "./generated.ts";
import { neededRole } from "./neededRole.ts";

type NodeType =
  | "Scenario"
  | "Task"
  | "Dataset"
  | "Run"
  | "Experiment"
  | "Trial"
  | "Token"
  | "Export"
  | "BatchPrediction"
  | "ModelExport"
  | "Model"
  | "ModelVersion"
  | "PromotionRule"
  | "Webhook"
  | "WebhookDelivery";
type NodeRow = Exclude<Awaited<ResolversTypes["Node"]>, null>;
type Load = (id: string, loaders: Context["loaders"]) => Promise<object | null>;

const mostNodes = 100;

const kinds: Readonly<Record<string, { readonly type: NodeType; readonly load: Load }>> = {
  scn: { type: "Scenario", load: (id, loaders) => loaders.scenarioById.load(id) },
  tsk: { type: "Task", load: (id, loaders) => loaders.taskById.load(id) },
  ds: { type: "Dataset", load: (id, loaders) => loaders.dataset.load(id) },
  run: { type: "Run", load: (id, loaders) => loaders.run.load(id) },
  exp: { type: "Experiment", load: (id, loaders) => loaders.experiment.load(id) },
  xpt: { type: "Export", load: (id, loaders) => loaders.export.load(id) },
  bat: { type: "BatchPrediction", load: (id, loaders) => loaders.batchPrediction.load(id) },
  mxp: { type: "ModelExport", load: (id, loaders) => loaders.modelExport.load(id) },
  trl: { type: "Trial", load: (id, loaders) => loaders.trial.load(id) },
  mdl: { type: "Model", load: (id, loaders) => loaders.modelById.load(id) },
  mdv: { type: "ModelVersion", load: (id, loaders) => loaders.modelVersion.load(id) },
  prl: { type: "PromotionRule", load: (id, loaders) => loaders.promotionRule.load(id) },
  whk: { type: "Webhook", load: (id, loaders) => loaders.webhook.load(id) },
  dlv: { type: "WebhookDelivery", load: (id, loaders) => loaders.webhookDelivery.load(id) },
  tok: { type: "Token", load: (id, loaders) => loaders.token.load(id) },
};

/** Not all that an object has is a kind: an id may as well begin with `constructor`. */
const kindOf = (id: string) => {
  const prefix = id.split("_", 1)[0]!;
  return Object.hasOwn(kinds, prefix) ? kinds[prefix] : undefined;
};

export const typeOfId = (id: string): NodeType | undefined => kindOf(id)?.type;

export const loadNode = async (id: string, loaders: Context["loaders"]): Promise<object | null> =>
  (await kindOf(id)?.load(id, loaders)) ?? null;

export const Query: Resolvers["Query"] = {
  node: (_, { id }, context, info) => visibleNode(id, context, info),
  nodes: async (_, { ids }, context, info) => {
    if (ids.length < 1 || ids.length > mostNodes) throw wrongNumber(ids.length);
    return Promise.all(ids.map((id) => visibleNode(id, context, info)));
  },
};

/** Of an id whose type is known to be one of `T`. */
export const typeAmong = <T extends NodeType>({ id }: { readonly id: string }): T | null =>
  (typeOfId(id) ?? null) as T | null;

export const Node = { __resolveType: ({ id }: { id: string }) => typeOfId(id) ?? null };

/** Null as well where there is one, but of a type that needs another role than the actor has. */
async function visibleNode(
  id: string,
  { actor, loaders }: Context,
  { schema }: GraphQLResolveInfo,
): Promise<NodeRow | null> {
  const type = schema.getType(typeOfId(id) ?? "");
  if (!type || !mayAct(actor, neededRole(schema, type))) return null;
  return (await loadNode(id, loaders)) as NodeRow | null;
}

function wrongNumber(count: number): InvalidInputError {
  const detail = { field: "ids", expected: `1 to ${mostNodes}`, received: String(count) };
  return new InvalidInputError(`ids: expected ${detail.expected}, got ${count}`, detail);
}
