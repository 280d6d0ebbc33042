/** Anything by its global id: the letters before `_` tell which loader has it. */
import type { Context } from "../context.ts";
import type { Resolvers, ResolversTypes } from "./generated.ts";

type NodeType = "Scenario" | "Task" | "Dataset" | "Run" | "Experiment" | "Trial";
type NodeRow = Exclude<Awaited<ResolversTypes["Node"]>, null>;
type Load = (id: string, loaders: Context["loaders"]) => Promise<object | null>;

const kinds: Readonly<Record<string, { readonly type: NodeType; readonly load: Load }>> = {
  scn: { type: "Scenario", load: (id, loaders) => loaders.scenarioById.load(id) },
  tsk: { type: "Task", load: (id, loaders) => loaders.taskById.load(id) },
  ds: { type: "Dataset", load: (id, loaders) => loaders.dataset.load(id) },
  run: { type: "Run", load: (id, loaders) => loaders.run.load(id) },
  exp: { type: "Experiment", load: (id, loaders) => loaders.experiment.load(id) },
  trl: { type: "Trial", load: (id, loaders) => loaders.trial.load(id) },
};

const kindOf = (id: string) => kinds[id.split("_", 1)[0]!];

export const Query: Resolvers["Query"] = {
  node: async (_, { id }, { loaders }) => (await kindOf(id)?.load(id, loaders)) as NodeRow | null,
};

export const Node = { __resolveType: ({ id }: { id: string }) => kindOf(id)?.type ?? null };
