/** Exports: rows that a worker writes to a file. */
import { runOfExport } from "../context.ts";
import type { Context, ExportRow } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  export: (_, { id }, { loaders }) => loaders.export.load(id),
  exports: (_, page, { loaders }) => connection(page, loaders.lists.exports()),
};

export const Mutation: Resolvers["Mutation"] = {
  exportRuns: async (_, { input }, { services }) => ({ export: await services.exportRuns(input) }),
  exportMetrics: async (_, { input }, { services }) => ({ export: await services.exportMetrics(input) }),
  exportPredictions: async (_, { input }, { services }) => ({ export: await services.exportPredictions(input) }),
};

export const Export: Resolvers["Export"] = {
  run: (made, _, { loaders }) => {
    const id = runOfExport(made);
    return id === null ? null : loaders.run.load(id);
  },
  bytes: (made, _, context) => bytesOf(made, context),
  url: ({ id, artifactHash }) => artifactHash && `/exports/${id}`,
};

/** Size of the file; null until it is there, and when it is gone. */
export async function bytesOf(
  { artifactHash }: Pick<ExportRow, "artifactHash">,
  { loaders }: Context,
): Promise<number | null> {
  return artifactHash === null ? null : (await required(loaders.artifact.load(artifactHash))).bytes;
}
